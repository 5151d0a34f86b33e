-- One row per stated fact, as last stated; a fact that was taken back has neither value nor number.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.labels as event
qualify row_number() over (
    partition by dataset, subject, session, label, "when"
    order by recorded_at desc, job_id desc, value desc, number desc
) = 1
