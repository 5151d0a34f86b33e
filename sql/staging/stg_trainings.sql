-- One row per training, as last reported.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.trainings as event
qualify row_number() over (
    partition by training_id
    order by recorded_at desc, job_id desc, status desc, images_seen desc, encoder_id desc
) = 1
