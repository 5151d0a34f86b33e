-- One row per fit.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.fits as event
qualify row_number() over (
    partition by fit_id
    order by recorded_at desc, job_id desc, data_hash desc, snapshot_id desc, hyperparameters desc
) = 1
