-- One row per vector of one content of a scan.
-- Of several events of one key the latest counts; in the same microsecond, that of the later job id or larger values.
select *
from events.embeddings as event
qualify row_number() over (
    partition by encoder_id, recipe_id, scan_id, content_hash, pooling
    order by recorded_at desc, job_id desc, n_slices desc
) = 1
