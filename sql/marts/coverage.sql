-- One row per recipe, dataset (or all of them pooled), dimension and stratum: how many scans, and the share refused.
-- Dimensions: contrast, vendor, model, field_strength, slice_thickness, through_plane_spacing, orientation, age_band,
-- sex, diagnosis. Each has the stratum `unknown`. The bins are those of staging.strata_bins, the words of diagnoses
-- those of staging.diagnosis_words, and which scans are one scan is said in staging.same_scans.
with counted as (
    select
        recipe_id, dataset, pooled, dimension, stratum,
        count(*) as n_scans,
        count(distinct subject_uid) as n_subjects,
        count(*) filter (where status = 'stored') as n_stored,
        count(*) filter (where status = 'refused') as n_refused,
        count(*) filter (where status = 'excluded') as n_excluded,
        bool_or(synthetic) as synthetic
    from staging.covered_scans
    unpivot (stratum for dimension in (
        contrast, vendor, model, field_strength, slice_thickness, through_plane_spacing, orientation, age_band, sex,
        diagnosis
    ))
    group by recipe_id, dataset, pooled, dimension, stratum
)
select
    recipe_id,
    dataset, -- the dataset's name in this home; `all` where the datasets are pooled
    pooled, -- all datasets together, each person and each scan counted once
    counted.dimension, -- what the scans are divided by
    counted.stratum, -- the part, or unknown
    row_number() over (
        whole order by counted.stratum = 'unknown', bins.position nulls last, n_scans desc, counted.stratum
    ) as position, -- bins by size, others by their number of scans, unknown last
    n_scans, -- scans of any status
    n_subjects, -- persons with a scan of any status
    n_stored, -- scans with slices
    n_refused, -- scans that cannot be used
    n_excluded, -- scans that a person excluded
    n_scans - n_stored - n_refused - n_excluded as n_absent, -- scans not downloaded, or not looked at yet
    n_scans / sum(n_scans) over whole as share_of_scans, -- among the scans of any status
    n_stored / nullif(sum(n_stored) over whole, 0) as share_of_stored, -- among the stored scans; null if none is
    coalesce(sum(n_scans) filter (where counted.stratum = 'unknown') over whole, 0) / sum(n_scans) over whole
        as unknown_share, -- share of scans of any status for which this dimension is unknown
    case when counted.dimension not in ('orientation', 'through_plane_spacing')
        then n_refused / nullif(n_stored + n_refused + n_excluded, 0)
    end as refused_share, -- of the scans that were read; null if none was, and where only a stored image tells
    synthetic -- some of its scans are synthetic
from counted
left join staging.strata_bins as bins
    on bins.stratum = counted.stratum
    and bins.dimension = case when counted.dimension = 'age_band' then 'age_band' else 'mm' end
window whole as (partition by recipe_id, dataset, pooled, counted.dimension)
