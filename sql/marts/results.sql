-- One row per task, features, head, fraction, split and metric: mean and spread over seeds, on the newest data only.
-- Floors stand beside: features without the image, and random weights; `best_floor` is the best on the same data.
with newest as (
    -- Fits made on fewer or other scans, or by an older version of the rooms, are not averaged with the newest ones.
    select *
    from fits
    qualify row(data_hash, heads_version, evaluation_version) = first_value(
        row(data_hash, heads_version, evaluation_version)
    ) over (partition by task, encoder_id, recipe_id, pooling, head, fraction order by recorded_at desc, fit_id)
),
once as (
    -- Another grid is another fit: one per seed counts, the newest.
    select fit_id
    from newest
    qualify row_number() over (
        partition by task, encoder_id, recipe_id, pooling, head, fraction, seed order by recorded_at desc, fit_id
    ) = 1
),
over_seeds as (
    select
        task, metric, split, encoder_id, encoder_kind, pooling, recipe_id, head, fraction, data_hash,
        avg(value) as mean,
        stddev_samp(value) as sd,
        avg(ci_low) as ci_low,
        avg(ci_high) as ci_high,
        count(*) as n_seeds,
        max(n) as n,
        max(n_scans) as n_scans,
        min(n_smallest_class) as n_smallest_class,
        min(n_train) as n_train,
        bool_or(smoke_test) as smoke_test,
        bool_or(synthetic) as synthetic,
        max(seen_test_subjects) as seen_test_subjects,
        encoder_id like 'floor:%' or coalesce(encoder_kind = 'random', false) as is_floor
    from metrics semi join once using (fit_id)
    group by task, metric, split, encoder_id, encoder_kind, pooling, recipe_id, head, fraction, data_hash
),
floors as (
    select
        task, metric, split, recipe_id, fraction, data_hash,
        -- Errors are better small, all other figures large.
        case when metric in ('mae', 'rmse') then min(mean) else max(mean) end as best_floor
    from over_seeds
    where is_floor
    group by task, metric, split, recipe_id, fraction, data_hash
)
select
    task, metric, split, encoder_id, encoder_kind, pooling,
    case when pooling = '' then encoder_id else encoder_id || ' ' || pooling end as features, -- encoder and pooling, or the floor
    recipe_id, head, fraction,
    mean, -- mean over seeds
    sd, -- standard deviation over seeds; null for one seed
    ci_low, -- mean over seeds of the intervals' lower ends
    ci_high, -- mean over seeds of the intervals' upper ends
    n_seeds, -- fits it is a mean of
    n, -- test subjects
    n_scans, -- test scans
    n_smallest_class,
    n_train, -- training subjects, the least over seeds
    smoke_test,
    synthetic, -- some of the scans behind it are synthetic
    seen_test_subjects,
    is_floor, -- needs no pretraining: no image at all, or random weights
    best_floor, -- the best mean of all floors and heads at this fraction on the same data; null if none was fitted
    data_hash
from over_seeds left join floors using (task, metric, split, recipe_id, fraction, data_hash)
