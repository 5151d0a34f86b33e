-- One row per figure of a fit.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.metrics as event
qualify row_number() over (
    partition by fit_id, split, metric
    order by recorded_at desc, job_id desc, value desc, ci_low desc, ci_high desc
) = 1
