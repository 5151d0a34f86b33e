-- One row per frozen test subject of a task.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.holdouts as event
qualify row_number() over (
    partition by task, dataset, subject
    order by recorded_at desc, job_id desc, seed desc, test_fraction desc
) = 1
