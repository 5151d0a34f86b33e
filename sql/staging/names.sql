-- One row per name of a person in a dataset, with the name that its source knows the person by.
with named as (
    select dataset, subject from staging.stg_scans
    union
    select dataset, subject from staging.stg_labels
    union
    select dataset, subject from staging.stg_subject_links
    union
    select dataset, subject from staging.stg_holdouts
    union
    select dataset, subject from staging.stg_training_subjects
)
select named.dataset, named.subject, coalesce(sources.source, named.dataset) || '/' || named.subject as source_name
from named left join staging.sources as sources using (dataset)
