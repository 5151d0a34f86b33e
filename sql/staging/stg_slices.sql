-- One row per stored slice of one content of a scan.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.slices as event
qualify row_number() over (
    partition by recipe_id, scan_id, content_hash, slice_index
    order by recorded_at desc, job_id desc, position_mm desc, brain_mm2 desc
) = 1
