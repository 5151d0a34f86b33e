-- One row per fit and test scan whose features are no longer those in the store, and why.
-- Its training scans are not listed one by one: a fit that is run again finds any change by its data_hash.
with judged as (
    select predictions.scan_id, predictions.content_hash as fitted_on, fits.*
    from staging.stg_predictions as predictions join fits using (fit_id)
),
vectors as (
    select encoder_id, recipe_id, scan_id, content_hash, pooling, recorded_at as vector_at from staging.stg_embeddings
)
select
    judged.fit_id, judged.task, judged.encoder_id, judged.recipe_id, judged.pooling, judged.head, judged.fraction,
    judged.seed, judged.snapshot_id, judged.scan_id,
    judged.fitted_on, -- content hash the features were made from
    scans.content_hash as now_stored, -- content hash of the scan today
    case
        when scans.status = 'excluded' then 'scan was excluded'
        when scans.scan_id is null or scans.status <> 'stored' then 'scan is gone'
        when scans.content_hash <> judged.fitted_on then 'scan was replaced'
        else 'embedding was replaced'
    end as why -- scan is gone, was excluded or was replaced, or embedding was replaced
from judged
left join scans on scans.scan_id = judged.scan_id and scans.recipe_id = judged.recipe_id
left join vectors
    on vectors.encoder_id = judged.encoder_id and vectors.recipe_id = judged.recipe_id
    and vectors.pooling = judged.pooling and vectors.scan_id = judged.scan_id
    and vectors.content_hash = judged.fitted_on
where scans.scan_id is null
    or scans.status <> 'stored'
    or scans.content_hash <> judged.fitted_on
    or vectors.vector_at > judged.recorded_at
