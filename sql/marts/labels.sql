-- One row per fact about a subject or a session, as last stated; a fact that its source no longer states is gone.
select
    labels.*,
    coalesce(linked.subject_uid, labels.dataset || '/' || labels.subject) as subject_uid -- one per person, over all datasets
from staging.stg_labels as labels left join staging.linked_subjects as linked using (dataset, subject)
where labels.value is not null or labels.number is not null
