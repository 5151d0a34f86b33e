-- One row per pair of scans that look like one brain.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.scan_copies as event
qualify row_number() over (
    partition by scan_id, content_hash, other_scan_id, other_content_hash, fingerprint_version
    order by recorded_at desc, job_id desc, grade desc, score desc
) = 1
