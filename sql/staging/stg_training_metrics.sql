-- One row per figure at one step of a training.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.training_metrics as event
qualify row_number() over (
    partition by training_id, step, metric
    order by recorded_at desc, job_id desc, value desc, images_seen desc
) = 1
