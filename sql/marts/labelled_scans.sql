-- One row per stored scan, recipe and label that holds for it; the scan's own contrast is a label too.
-- A label of the scan's session comes before one of the subject; a label of another session is never taken. Of several
-- that remain, the nearest in time counts where both ages are known, else the undated one, else the earliest.
with stored as (
    select scan_id, recipe_id, content_hash, dataset, subject, subject_uid, session, contrast, synthetic
    from scans
    where status = 'stored'
),
ages as (
    -- The age at the scan, where the source states it for the session.
    select dataset, subject, session, any_value(number) as age
    from staging.stg_labels
    where label = 'age' and session <> '' and number is not null
    group by dataset, subject, session
    having count(distinct number) = 1
),
stated as (
    select
        stored.*, labels.label, labels.value, labels.number, labels.unit,
        labels.session <> '' as of_session,
        labels."when",
        case when labels.when_kind = 'age_years' then round(365.25 * (try_cast(labels."when" as double) - ages.age)) end
            as gap_days
    from stored
    join staging.stg_labels as labels on labels.dataset = stored.dataset and labels.subject = stored.subject
    left join ages
        on ages.dataset = stored.dataset and ages.subject = stored.subject and ages.session = stored.session
    where labels.session in ('', coalesce(stored.session, ''))
        and (labels.value is not null or labels.number is not null)
        and labels.label <> 'contrast'
)
select
    scan_id, recipe_id, content_hash, dataset, subject, subject_uid, session, contrast, label, value, number, unit,
    gap_days, -- days from the scan to the moment the label speaks of; null if either is unknown
    synthetic
from stated
qualify row_number() over (
    partition by scan_id, recipe_id, label
    order by of_session desc, abs(gap_days) nulls last, "when" <> '', try_cast("when" as double), "when"
) = 1
union all
select
    scan_id, recipe_id, content_hash, dataset, subject, subject_uid, session, contrast,
    'contrast', contrast, null, null, null, synthetic
from stored
where contrast is not null
