-- One row per scan that a person decided about: the last decision.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.overrules as event
qualify row_number() over (
    partition by scan_id
    order by recorded_at desc, job_id desc, verdict desc, why desc
) = 1
