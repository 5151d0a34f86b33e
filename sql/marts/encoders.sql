-- One row per encoder: what it is, what it was trained on, and how many scans have its vectors.
with counts as (
    select encoder_id, count(distinct scan_id) as n_scans from embeddings group by encoder_id
)
select
    encoders.*,
    coalesce(counts.n_scans, 0) as n_scans -- stored scans with its vectors
from staging.stg_encoders as encoders left join counts using (encoder_id)
