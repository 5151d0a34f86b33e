-- One row per training and subject it was given.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.training_subjects as event
qualify row_number() over (
    partition by training_id, dataset, subject
    order by recorded_at desc, job_id desc, n_scans desc
) = 1
