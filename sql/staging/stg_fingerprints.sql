-- One row per fingerprint of a stored brain.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.fingerprints as event
qualify row_number() over (
    partition by recipe_id, scan_id, content_hash, fingerprint_version
    order by recorded_at desc, job_id desc, fingerprint desc
) = 1
