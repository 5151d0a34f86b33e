-- One row per recipe and scan of any status: the stratum that coverage counts it under, for every dimension.
-- What the image itself says (orientation, spacing) is known of stored scans alone; the rest of refused ones as well.
with said as (
    select
        recipe_id, scan_id,
        any_value(number) filter (where label = 'age') as age,
        any_value(value) filter (where label = 'age_band') as age_band,
        any_value(value) filter (where label = 'sex') as sex,
        any_value(value) filter (where label = 'diagnosis') as diagnosis
    from staging.scan_labels
    where label in ('age', 'age_band', 'sex', 'diagnosis')
    group by recipe_id, scan_id
),
facts as (
    select
        scans.*, said.age, said.age_band, said.sex, said.diagnosis,
        round(scans.slice_thickness, 2) as thickness_mm,
        -- The widest spacing is that between slices; an isotropic volume has one spacing.
        round(greatest(scans.spacing_x, scans.spacing_y, scans.spacing_z), 2) as widest_mm,
        -- A header says 2.89 or 3 of one scanner: from 1 tesla the nearest half counts.
        case when field_strength < 1 then round(field_strength, 3) else round(2 * field_strength) / 2 end as tesla
    from scans left join said using (recipe_id, scan_id)
)
select
    facts.recipe_id, facts.scan_id, facts.dataset, facts.subject_uid, facts.status, facts.synthetic, facts.age,
    same.counts_overall,
    coalesce(facts.contrast, 'unknown') as contrast,
    coalesce(facts.vendor, 'unknown') as vendor,
    coalesce(facts.model, 'unknown') as model,
    coalesce(printf('%g T', facts.tesla), 'unknown') as field_strength,
    coalesce(thicknesses.stratum, 'unknown') as slice_thickness,
    coalesce(spacings.stratum, 'unknown') as through_plane_spacing,
    coalesce(facts.orientation, 'unknown') as orientation,
    -- A source that states bands alone keeps them: they do not fit into ours.
    coalesce(ages.stratum, facts.age_band || ' as stated', 'unknown') as age_band,
    coalesce(facts.sex, 'unknown') as sex,
    coalesce(words.diagnosis, facts.diagnosis, 'unknown') as diagnosis
from facts
join staging.same_scans as same using (recipe_id, scan_id)
left join staging.diagnosis_words as words
    on words.word = trim(regexp_replace(lower(facts.diagnosis), '[\s_-]+', ' ', 'g'))
left join staging.strata_bins as ages
    on ages.dimension = 'age_band' and floor(facts.age) > ages.above and floor(facts.age) <= ages.up_to
left join staging.strata_bins as thicknesses
    on thicknesses.dimension = 'mm'
    and facts.thickness_mm > thicknesses.above and facts.thickness_mm <= thicknesses.up_to
left join staging.strata_bins as spacings
    on spacings.dimension = 'mm' and facts.widest_mm > spacings.above and facts.widest_mm <= spacings.up_to
