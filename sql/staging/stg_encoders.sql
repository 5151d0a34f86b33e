-- One row per encoder.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.encoders as event
qualify row_number() over (
    partition by encoder_id
    order by recorded_at desc, job_id desc, weights_sha256 desc, training_id desc, name desc
) = 1
