-- One row per vector of the present content of a stored scan.
select
    embeddings.encoder_id, embeddings.recipe_id, embeddings.scan_id, embeddings.content_hash, embeddings.pooling,
    embeddings.n_slices, embeddings.embedding, scans.dataset, scans.subject_uid, scans.synthetic, embeddings.recorded_at
from staging.stg_embeddings as embeddings join scans using (recipe_id, scan_id, content_hash)
where scans.status = 'stored'
