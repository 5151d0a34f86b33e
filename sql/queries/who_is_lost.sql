-- Of which age bands, sexes, diagnoses, vendors and field strengths are scans refused most often?
select dataset, dimension, stratum, n_stored + n_refused + n_excluded as n_read, n_refused, n_excluded,
    round(refused_share, 3) as refused_share
from coverage
where dimension in ('age_band', 'sex', 'diagnosis', 'vendor', 'field_strength') and n_stored + n_refused + n_excluded > 0
order by pooled desc, refused_share desc, n_read desc
