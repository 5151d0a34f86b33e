-- How did the losses of the latest training go?
select training_id, metric, step, images_seen, value
from training_metrics
where training_id = (select training_id from trainings order by recorded_at desc limit 1) and metric like 'loss%'
order by metric, step
