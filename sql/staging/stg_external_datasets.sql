-- One row per dataset that is kept for external testing.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id.
select *
from events.external_datasets as event
qualify row_number() over (
    partition by dataset
    order by recorded_at desc, job_id desc
) = 1
