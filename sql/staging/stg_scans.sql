-- One row per recipe and scan: what became of it last.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.scans as event
qualify row_number() over (
    partition by recipe_id, scan_id
    order by recorded_at desc, job_id desc, content_hash desc, description_hash desc, status desc, contrast desc
) = 1
