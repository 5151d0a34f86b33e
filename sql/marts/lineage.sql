-- One row per fit and scan behind it: from the figure through snapshot, encoder and training back to the source file.
-- `role` is `test` for a scan it was judged on, `pretraining` for a stored scan of a subject its encoder was trained on.
with behind as (
    select fits.fit_id, 'test' as role, predictions.scan_id, predictions.content_hash
    from fits join staging.stg_predictions as predictions using (fit_id)
    union all
    select fits.fit_id, 'pretraining', scans.scan_id, scans.content_hash
    from fits
    join staging.stg_encoders as encoders using (encoder_id)
    join staging.stg_trainings as trainings on trainings.training_id = encoders.training_id
    join staging.stg_training_subjects as given on given.training_id = trainings.training_id
    join scans
        on scans.dataset = given.dataset and scans.subject = given.subject and scans.recipe_id = trainings.recipe_id
    where scans.status = 'stored'
)
select
    fits.fit_id, fits.task, fits.head, fits.fraction, fits.seed, fits.snapshot_id, fits.job_id,
    fits.encoder_id, fits.encoder_kind, encoders.weights_sha256,
    trainings.training_id,
    trainings.snapshot_id as training_snapshot_id, -- the snapshot the training read
    behind.role, -- test or pretraining
    behind.scan_id, behind.content_hash, fits.recipe_id,
    scans.dataset, scans.subject, scans.subject_uid, scans.session, scans.contrast, scans.source_path, scans.store_path,
    datasets.adapter, datasets.licence, scans.synthetic
from behind
join fits using (fit_id)
left join staging.stg_encoders as encoders using (encoder_id)
left join staging.stg_trainings as trainings on trainings.training_id = encoders.training_id
left join scans
    on scans.scan_id = behind.scan_id
    and scans.recipe_id = case behind.role when 'test' then fits.recipe_id else trainings.recipe_id end
left join staging.stg_datasets as datasets on datasets.dataset = scans.dataset
