-- One row per fit and scan of its test split.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.predictions as event
qualify row_number() over (
    partition by fit_id, scan_id
    order by recorded_at desc, job_id desc, content_hash desc, predicted desc, predicted_number desc
) = 1
