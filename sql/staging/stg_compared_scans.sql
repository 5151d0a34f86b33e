-- One row per scan that has been compared with all that were stored at the time.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id.
select *
from events.compared_scans as event
qualify row_number() over (
    partition by scan_id, content_hash, fingerprint_version
    order by recorded_at desc, job_id desc
) = 1
