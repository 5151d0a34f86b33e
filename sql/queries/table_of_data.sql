-- Which people and scans does the store hold, dataset by dataset?
select
    dataset, n_people as n, n_stored as scans, round(100 * female_share) as percent_female,
    round(age_median) || ' [' || floor(age_min) || '-' || floor(age_max) || ']' as age, contrasts, vendors,
    field_strengths, diagnoses, round(refused_share, 3) as refused_share, synthetic
from coverage_table
order by recipe_id, pooled, dataset
