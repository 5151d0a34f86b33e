-- One row per recipe and dataset, and one for all pooled: who and what is stored, as a paper's table of data has it.
-- Persons are described at their first stored scan; `vendors` and the like list strata with their stored scans.
with people as (
    select
        recipe_id, dataset, pooled,
        min(age) as age,
        max(sex) filter (where sex <> 'unknown') as sex
    from staging.covered_scans
    where status = 'stored'
    group by recipe_id, dataset, pooled, subject_uid
),
described as (
    select
        recipe_id, dataset, pooled,
        count(*) as n_people,
        count(*) filter (where sex = 'female') / nullif(count(sex), 0) as female_share,
        1 - count(sex) / count(*) as sex_unknown_share,
        median(age) as age_median,
        min(age) as age_min,
        max(age) as age_max,
        1 - count(age) / count(*) as age_unknown_share
    from people
    group by recipe_id, dataset, pooled
),
totals as (
    select
        recipe_id, dataset, pooled,
        count(distinct subject_uid) as n_subjects,
        count(*) as n_scans,
        count(*) filter (where status = 'stored') as n_stored,
        count(*) filter (where status = 'refused') as n_refused,
        count(*) filter (where status = 'excluded') as n_excluded,
        bool_or(synthetic) as synthetic
    from staging.covered_scans
    group by recipe_id, dataset, pooled
),
listed as (
    select
        recipe_id, dataset, pooled, dimension,
        string_agg(stratum || ' (' || n_stored || ')', ', ' order by position) as strata,
        coalesce(sum(share_of_stored) filter (where stratum = 'unknown'), 0) as unknown_share
    from coverage
    where n_stored > 0
    group by recipe_id, dataset, pooled, dimension
),
wide as (
    select
        recipe_id, dataset, pooled,
        map_from_entries(list((dimension, strata))) as strata,
        map_from_entries(list((dimension, unknown_share))) as unknown
    from listed
    group by recipe_id, dataset, pooled
)
select
    recipe_id,
    dataset, -- the dataset's name in this home; `all` where the datasets are pooled
    pooled, -- all datasets together, each person and each scan counted once
    totals.n_subjects, -- persons with a scan of any status
    totals.n_scans, -- scans of any status
    totals.n_stored, -- scans with slices
    totals.n_refused, -- scans that cannot be used
    totals.n_excluded, -- scans that a person excluded
    totals.n_scans - totals.n_stored - totals.n_refused - totals.n_excluded as n_absent, -- scans not downloaded, or not looked at yet
    totals.n_refused / nullif(totals.n_stored + totals.n_refused + totals.n_excluded, 0) as refused_share, -- of the scans that were read
    coalesce(described.n_people, 0) as n_people, -- persons with a stored scan
    described.female_share, -- among those whose sex is known
    described.sex_unknown_share, -- share of the persons whose sex is unknown
    described.age_median, -- years, at the first stored scan
    described.age_min, -- years
    described.age_max, -- years
    described.age_unknown_share, -- share of the persons whose age in years is unknown
    wide.strata['contrast'] as contrasts, -- with their stored scans
    wide.strata['vendor'] as vendors, -- with their stored scans
    wide.unknown['vendor'] as vendor_unknown_share, -- share of the stored scans
    wide.strata['field_strength'] as field_strengths, -- with their stored scans
    wide.unknown['field_strength'] as field_strength_unknown_share, -- share of the stored scans
    wide.strata['slice_thickness'] as slice_thicknesses, -- with their stored scans
    wide.unknown['slice_thickness'] as slice_thickness_unknown_share, -- share of the stored scans
    wide.strata['through_plane_spacing'] as through_plane_spacings, -- with their stored scans
    wide.strata['orientation'] as orientations, -- with their stored scans
    wide.strata['diagnosis'] as diagnoses, -- with their stored scans
    wide.unknown['diagnosis'] as diagnosis_unknown_share, -- share of the stored scans
    totals.synthetic -- some of its scans are synthetic
from totals
left join described using (recipe_id, dataset, pooled)
left join wide using (recipe_id, dataset, pooled)
