-- One row per test scan of a fit: its target and what the head said.
select
    predictions.* exclude (recorded_at, job_id),
    fits.task, fits.encoder_id, fits.recipe_id, fits.pooling, fits.head, fits.fraction, fits.seed, fits.classes,
    fits.synthetic, -- some scans of the fit are synthetic
    fits.snapshot_id
from staging.stg_predictions as predictions join fits using (fit_id)
