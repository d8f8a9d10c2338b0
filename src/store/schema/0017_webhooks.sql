-- Who is told of what happens: a URL that is called, or a mail address ("mailto:...").
CREATE TABLE webhooks (
    id            BIGINT PRIMARY KEY,
    public_id     TEXT   NOT NULL UNIQUE, -- a UUID, what MLflow's clients call it
    name          TEXT   NOT NULL UNIQUE,
    description   TEXT   NOT NULL,
    url           TEXT   NOT NULL,
    secret        TEXT, -- signs what is sent; no answer holds it
    is_active     BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    created_by    TEXT   NOT NULL,
    updated_at    BIGINT NOT NULL,
    waiting_count BIGINT NOT NULL, -- of its deliveries, which have a bound
    waiting_bytes BIGINT NOT NULL,
    dropped_count BIGINT NOT NULL  -- for which there was no room
);

CREATE TABLE webhook_events (
    event      TEXT   NOT NULL, -- "model_version.created"
    webhook_id BIGINT NOT NULL REFERENCES webhooks(id),
    PRIMARY KEY (event, webhook_id)
);

-- The outbox: written in the transaction of what they tell, sent afterwards, in order for each webhook.
CREATE TABLE deliveries (
    id         BIGINT PRIMARY KEY,
    public_id  TEXT   NOT NULL, -- a UUID: the same on each try
    webhook_id BIGINT NOT NULL REFERENCES webhooks(id),
    event      TEXT   NOT NULL,
    body       TEXT   NOT NULL, -- "" once it has ended
    created_at BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    due_at     BIGINT NOT NULL, -- of the next try
    status     BIGINT, -- that the last try was answered with
    reason     TEXT,   -- why the last try failed
    ended_at   BIGINT, -- NULL: it waits
    is_given_up BIGINT NOT NULL
);

CREATE INDEX deliveries_by_webhook ON deliveries(webhook_id, id);
CREATE INDEX deliveries_waiting ON deliveries(webhook_id, id) WHERE ended_at IS NULL;
