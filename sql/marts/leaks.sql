-- One row per training, task and frozen test subject that the training was given, under whatever name.
-- The sampler leaves test subjects out, so a row here was learned after the training began: by a new link or copy.
with seen as (
    select given.training_id, given.dataset, given.subject, subjects.subject_uid, subjects.split_group
    from staging.stg_training_subjects as given join subjects using (dataset, subject)
),
held as (
    select frozen.task, subjects.*
    from staging.frozen_subjects as frozen join subjects using (dataset, subject)
)
select
    seen.training_id, runs.encoder_id,
    held.task, -- the task, or external:<dataset>
    held.dataset, held.subject, held.subject_uid, -- the test subject
    seen.dataset as seen_dataset, -- where the training saw it
    seen.subject as seen_subject, -- the name under which the training saw it
    case
        when seen.dataset = held.dataset and seen.subject = held.subject then 'the same subject'
        when seen.subject_uid = held.subject_uid then 'another name of the same person'
        else 'a relative'
    end as relation -- how the two names belong together
from seen
join held using (split_group)
join staging.stg_trainings as runs using (training_id)
