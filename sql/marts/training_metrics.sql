-- One row per figure at one step of a training.
select training_id, step, images_seen, metric, value, recorded_at
from staging.stg_training_metrics
