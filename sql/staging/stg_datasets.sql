-- One row per dataset, as last found.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.datasets as event
qualify row_number() over (
    partition by dataset
    order by recorded_at desc, job_id desc, n_scans desc, title desc
) = 1
