-- One row per pretraining job: its state as last reported, what it was given and what it gave.
with starts as (
    select training_id, min(recorded_at) as started_at from events.trainings group by training_id
)
select
    trainings.*,
    starts.started_at -- when its first row was written
from staging.stg_trainings as trainings join starts using (training_id)
