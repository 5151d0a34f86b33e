-- One row per recipe, scan of any status and label that holds for it.
-- A label of the scan's session comes before one of the subject; a label of another session is never taken. Of several
-- that remain, the nearest in time counts (of two as near, the earlier) where both moments are of one kind, else the
-- undated one, else the earliest. What is measured on the segmentation counts where nothing else states it.
with ages as (
    -- The age at the scan, where the source states it for the session.
    select dataset, subject, session, any_value(number) as age
    from staging.stg_labels
    where label = 'age' and session <> '' and number is not null
    group by dataset, subject, session
    having count(distinct number) = 1
),
stated as (
    select
        scans.recipe_id, scans.scan_id, labels.label, labels.value, labels.number, labels.unit,
        'dataset' as label_source,
        labels.session <> '' as of_session,
        labels."when",
        round(told.days - case
            when scans.when_kind = labels.when_kind then taken.days
            when labels.when_kind = 'age_years' then 365.25 * ages.age
        end) as gap_days
    from staging.stg_scans as scans
    join staging.stg_labels as labels on labels.dataset = scans.dataset and labels.subject = scans.subject
    left join ages
        on ages.dataset = scans.dataset and ages.subject = scans.subject and ages.session = scans.session
    left join staging.moments as taken on taken."when" = scans."when" and taken.when_kind = scans.when_kind
    left join staging.moments as told on told."when" = labels."when" and told.when_kind = labels.when_kind
    where labels.session in ('', coalesce(scans.session, ''))
        and (labels.value is not null or labels.number is not null)
),
known as (
    from stated
    union all by name
    select
        recipe_id, scan_id, 'lesion' as label, case when lesion_ml > 0 then 'present' else 'absent' end as value,
        'segmentation' as label_source
    from staging.outlines
    union all by name
    select recipe_id, scan_id, 'lesion_ml' as label, lesion_ml as number, 'ml' as unit, 'segmentation' as label_source
    from staging.outlines
)
select recipe_id, scan_id, label, value, number, unit, gap_days, label_source
from known
qualify row_number() over (
    partition by recipe_id, scan_id, label
    order by
        label_source <> 'dataset', of_session desc, abs(gap_days) nulls last, gap_days, "when" <> '',
        try_cast("when" as double), "when"
) = 1
