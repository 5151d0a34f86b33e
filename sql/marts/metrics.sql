-- One row per figure of a fit, with its interval, its number of test subjects and its pedigree.
-- A fit exists once its own row is committed: figures that a killed run left without one are not shown.
select
    metrics.*, fits.encoder_kind, fits.data_hash, fits.n_train, fits.seen_test_subjects
from staging.stg_metrics as metrics join fits using (fit_id)
