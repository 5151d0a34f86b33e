-- One row per pair of names of one person, as last stated.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.subject_links as event
qualify row_number() over (
    partition by dataset, subject, other_dataset, other_subject
    order by recorded_at desc, job_id desc, withdrawn desc, evidence desc
) = 1
