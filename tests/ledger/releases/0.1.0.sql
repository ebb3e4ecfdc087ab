BEGIN TRANSACTION;
CREATE TABLE accounts (
	id INTEGER NOT NULL, 
	ref TEXT NOT NULL, 
	name TEXT NOT NULL, 
	zone TEXT, 
	country TEXT, 
	subdivision TEXT, 
	balance INTEGER DEFAULT 0 NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_accounts PRIMARY KEY (id), 
	CONSTRAINT ck_accounts_balance CHECK (balance >= 0), 
	CONSTRAINT uq_accounts_ref UNIQUE (ref)
)
 STRICT

;
INSERT INTO "accounts" VALUES(1,'Acme GmbH','Acme GmbH',NULL,NULL,NULL,0,'2026-11-23T09:00:00.000000Z');
INSERT INTO "accounts" VALUES(2,'Maple Inc','Maple Inc',NULL,NULL,NULL,0,'2026-11-23T09:00:00.000000Z');
INSERT INTO "accounts" VALUES(3,'stranger@nowhere.example','stranger@nowhere.example',NULL,NULL,NULL,0,'2026-11-26T07:00:00.000000Z');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE clocks (
	id INTEGER NOT NULL, 
	incident_id INTEGER NOT NULL, 
	cycle INTEGER NOT NULL, 
	started_at TEXT NOT NULL, 
	target_s INTEGER NOT NULL, 
	at_risk_at TEXT NOT NULL, 
	due_at TEXT NOT NULL, 
	by_close TEXT NOT NULL, 
	result TEXT NOT NULL, 
	responded_at TEXT, 
	elapsed_s INTEGER, 
	inputs TEXT NOT NULL, 
	CONSTRAINT pk_clocks PRIMARY KEY (id), 
	CONSTRAINT uq_clocks_incident_id_cycle UNIQUE (incident_id, cycle), 
	CONSTRAINT ck_clocks_result CHECK (result IN ('running', 'at_risk', 'met', 'breached', 'void')), 
	CONSTRAINT ck_clocks_response CHECK ((responded_at IS NULL) = (elapsed_s IS NULL)), 
	CONSTRAINT fk_clocks_incident_id FOREIGN KEY(incident_id) REFERENCES incidents (id)
)
 STRICT

;
INSERT INTO "clocks" VALUES(1,1,1,'2026-11-23T09:00:00.000000Z',14400,'2026-11-23T12:00:00.000000Z','2026-11-23T13:00:00.000000Z','2026-11-23T13:00:00.000000Z','met','2026-11-23T11:00:00.000000Z',7200,'{"calendar_incomplete":false,"categories":["public"],"closed_dates":[],"country":"DE","country_source":"organisation","holidays_version":"0.109","iana_version":"2026f","open_windows":{},"subdivision":"BE","weekly_hash":"07a2c55581f7373c","zone":"Europe/Berlin"}');
INSERT INTO "clocks" VALUES(2,2,1,'2026-11-23T09:00:00.000000Z',14400,'2026-11-23T17:00:00.000000Z','2026-11-23T18:00:00.000000Z','2026-11-23T18:00:00.000000Z','breached','2026-11-23T19:00:00.000000Z',18000,'{"calendar_incomplete":false,"categories":["public"],"closed_dates":[],"country":"CA","country_source":"organisation","holidays_version":"0.109","iana_version":"2026f","open_windows":{},"subdivision":"ON","weekly_hash":"07a2c55581f7373c","zone":"America/Toronto"}');
INSERT INTO "clocks" VALUES(3,3,1,'2026-11-23T19:00:00.000000Z',14400,'2026-11-24T11:00:00.000000Z','2026-11-24T12:00:00.000000Z','2026-11-24T12:00:00.000000Z','breached',NULL,NULL,'{"calendar_incomplete":false,"categories":["public"],"closed_dates":[],"country":"DE","country_source":"inferred","holidays_version":"0.109","iana_version":"2026f","open_windows":{},"subdivision":null,"weekly_hash":"07a2c55581f7373c","zone":"Europe/Berlin"}');
INSERT INTO "clocks" VALUES(4,4,1,'2026-11-23T19:00:00.000000Z',14400,'2026-11-24T11:00:00.000000Z','2026-11-24T12:00:00.000000Z','2026-11-24T12:00:00.000000Z','breached',NULL,NULL,'{"calendar_incomplete":false,"categories":["public"],"closed_dates":[],"country":"DE","country_source":"inferred","holidays_version":"0.109","iana_version":"2026f","open_windows":{},"subdivision":null,"weekly_hash":"07a2c55581f7373c","zone":"Europe/Berlin"}');
INSERT INTO "clocks" VALUES(5,5,1,'2026-11-26T07:00:00.000000Z',14400,'2026-11-26T17:00:00.000000Z','2026-11-26T18:00:00.000000Z','2026-11-26T18:00:00.000000Z','breached',NULL,NULL,'{"calendar_incomplete":false,"categories":["public"],"closed_dates":[],"country":"CA","country_source":"organisation","holidays_version":"0.109","iana_version":"2026f","open_windows":{},"subdivision":"ON","weekly_hash":"07a2c55581f7373c","zone":"America/Toronto"}');
INSERT INTO "clocks" VALUES(6,1,2,'2026-12-16T07:00:00.000000Z',14400,'2026-12-16T11:00:00.000000Z','2026-12-16T12:00:00.000000Z','2026-12-16T12:00:00.000000Z','met','2026-12-16T08:00:00.000000Z',0,'{"calendar_incomplete":false,"categories":["public"],"closed_dates":[],"country":"DE","country_source":"inferred","holidays_version":"0.109","iana_version":"2026f","open_windows":{},"subdivision":null,"weekly_hash":"07a2c55581f7373c","zone":"Europe/Berlin"}');
INSERT INTO "clocks" VALUES(7,7,1,'2027-03-06T08:00:00.000000Z',14400,'2027-03-08T11:00:00.000000Z','2027-03-08T12:00:00.000000Z','2027-03-08T12:00:00.000000Z','running',NULL,NULL,'{"calendar_incomplete":false,"categories":["public"],"closed_dates":[],"country":"DE","country_source":"inferred","holidays_version":"0.109","iana_version":"2026f","open_windows":{},"subdivision":null,"weekly_hash":"07a2c55581f7373c","zone":"Europe/Berlin"}');
INSERT INTO "clocks" VALUES(8,8,1,'2027-03-06T08:00:00.000000Z',14400,'2027-03-08T11:00:00.000000Z','2027-03-08T12:00:00.000000Z','2027-03-08T12:00:00.000000Z','running',NULL,NULL,'{"calendar_incomplete":false,"categories":["public"],"closed_dates":[],"country":"DE","country_source":"inferred","holidays_version":"0.109","iana_version":"2026f","open_windows":{},"subdivision":null,"weekly_hash":"07a2c55581f7373c","zone":"Europe/Berlin"}');
INSERT INTO "clocks" VALUES(9,9,1,'2027-03-06T08:00:00.000000Z',14400,'2027-03-08T17:00:00.000000Z','2027-03-08T18:00:00.000000Z','2027-03-08T18:00:00.000000Z','running',NULL,NULL,'{"calendar_incomplete":false,"categories":["public"],"closed_dates":[],"country":"CA","country_source":"organisation","holidays_version":"0.109","iana_version":"2026f","open_windows":{},"subdivision":"ON","weekly_hash":"07a2c55581f7373c","zone":"America/Toronto"}');
CREATE TABLE decisions (
	id INTEGER NOT NULL, 
	incident_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	at TEXT NOT NULL, 
	decided_at TEXT NOT NULL, 
	delivery TEXT, 
	findings TEXT NOT NULL, 
	CONSTRAINT pk_decisions PRIMARY KEY (id), 
	CONSTRAINT fk_decisions_incident_id FOREIGN KEY(incident_id) REFERENCES incidents (id)
)
 STRICT

;
INSERT INTO "decisions" VALUES(1,1,'accepted','2026-11-23T09:00:00.000000Z','2026-11-23T09:00:00.000000Z','d55f14e1-7493-442d-b751-b0ecf044238a','[{"inputs":{"created":"2026-11-23T09:00:00Z","in_service_since":"2026-11-01T00:00:00Z"},"outcome":"the ticket is newer: an incident","rule":"Tickets created before the bridge was put into service are left alone."},{"inputs":{"price":10},"outcome":"costs 10 points","rule":"\"All support incidents are charged at a rate of 10 points per incident.\""},{"inputs":{"now":"2026-11-23T09:00:00Z"},"outcome":"tested at 2026-11-23T09:00:00Z","rule":"The first decision tests points at the ticket''s own creation, at most 72 hours back."},{"inputs":{"on_hand_now":50,"on_hand_then":50},"outcome":"on hand at creation: accepted and charged","rule":"\"A support incident must be pre-purchased and on hand before a support ticket can be opened. The support points will be decremented when the ticket is opened.\""},{"inputs":{},"outcome":"the clock starts at 2026-11-23T09:00:00Z","rule":"The clock starts at the ticket''s creation when points were on hand then, at the release when it was held."},{"inputs":{},"outcome":"business hours of Europe/Berlin","rule":"\"Incident Support is available Monday through Friday, 9:00 - 17:00 in your local time zone. Incident support is not available on major government holidays.\""},{"inputs":{"started_at":"2026-11-23T09:00:00Z","target_s":14400,"zone":"Europe/Berlin"},"outcome":"first response due 2026-11-23T13:00:00Z","rule":"\"a support technician will respond to your inquiry within four business hours\""}]');
INSERT INTO "decisions" VALUES(2,2,'accepted','2026-11-23T09:00:00.000000Z','2026-11-23T09:00:00.000000Z','26ce211f-4c2d-494d-8e79-8d115d6d272a','[{"inputs":{"created":"2026-11-23T09:00:00Z","in_service_since":"2026-11-01T00:00:00Z"},"outcome":"the ticket is newer: an incident","rule":"Tickets created before the bridge was put into service are left alone."},{"inputs":{"price":10},"outcome":"costs 10 points","rule":"\"All support incidents are charged at a rate of 10 points per incident.\""},{"inputs":{"now":"2026-11-23T09:00:00Z"},"outcome":"tested at 2026-11-23T09:00:00Z","rule":"The first decision tests points at the ticket''s own creation, at most 72 hours back."},{"inputs":{"on_hand_now":10,"on_hand_then":10},"outcome":"on hand at creation: accepted and charged","rule":"\"A support incident must be pre-purchased and on hand before a support ticket can be opened. The support points will be decremented when the ticket is opened.\""},{"inputs":{},"outcome":"the clock starts at 2026-11-23T09:00:00Z","rule":"The clock starts at the ticket''s creation when points were on hand then, at the release when it was held."},{"inputs":{},"outcome":"business hours of America/Toronto","rule":"\"Incident Support is available Monday through Friday, 9:00 - 17:00 in your local time zone. Incident support is not available on major government holidays.\""},{"inputs":{"started_at":"2026-11-23T09:00:00Z","target_s":14400,"zone":"America/Toronto"},"outcome":"first response due 2026-11-23T18:00:00Z","rule":"\"a support technician will respond to your inquiry within four business hours\""}]');
INSERT INTO "decisions" VALUES(3,1,'responded','2026-11-23T11:00:00.000000Z','2026-11-23T11:00:00.000000Z','68e25871-79ee-4725-a344-2452032341b6','[{"inputs":{"agent":"5","elapsed_s":7200,"target_s":14400},"outcome":"met","rule":"The first public answer by a human agent stops the clock."}]');
INSERT INTO "decisions" VALUES(4,1,'closed','2026-11-23T13:00:00.000000Z','2026-11-23T13:00:00.000000Z','498b313c-bc69-4961-9b40-75b62c4f837a','[{"inputs":{"first_closed_at":"2026-11-23T13:00:00Z"},"outcome":"free re-open until 2027-02-21","rule":"The free re-open is counted from the first closure, which never moves."}]');
INSERT INTO "decisions" VALUES(5,2,'responded','2026-11-23T19:00:00.000000Z','2026-11-23T19:00:00.000000Z','17035476-5d13-485f-9853-dcbdc737e28f','[{"inputs":{"agent":"5","elapsed_s":18000,"target_s":14400},"outcome":"breached","rule":"The first public answer by a human agent stops the clock."}]');
INSERT INTO "decisions" VALUES(6,3,'accepted','2026-11-23T19:00:00.000000Z','2026-11-23T19:00:00.000000Z','01M84WF0W000000005JDRZE74T','[{"inputs":{"created":"2026-11-23T19:00:00Z","in_service_since":"2026-11-01T00:00:00Z"},"outcome":"the ticket is newer: an incident","rule":"Tickets created before the bridge was put into service are left alone."},{"inputs":{"price":10},"outcome":"costs 10 points","rule":"\"All support incidents are charged at a rate of 10 points per incident.\""},{"inputs":{"now":"2026-11-23T19:00:00Z"},"outcome":"tested at 2026-11-23T19:00:00Z","rule":"The first decision tests points at the ticket''s own creation, at most 72 hours back."},{"inputs":{"on_hand_now":40,"on_hand_then":40},"outcome":"on hand at creation: accepted and charged","rule":"\"A support incident must be pre-purchased and on hand before a support ticket can be opened. The support points will be decremented when the ticket is opened.\""},{"inputs":{},"outcome":"the clock starts at 2026-11-23T19:00:00Z","rule":"The clock starts at the ticket''s creation when points were on hand then, at the release when it was held."},{"inputs":{},"outcome":"business hours of Europe/Berlin","rule":"\"Incident Support is available Monday through Friday, 9:00 - 17:00 in your local time zone. Incident support is not available on major government holidays.\""},{"inputs":{"started_at":"2026-11-23T19:00:00Z","target_s":14400,"zone":"Europe/Berlin"},"outcome":"first response due 2026-11-24T12:00:00Z","rule":"\"a support technician will respond to your inquiry within four business hours\""}]');
INSERT INTO "decisions" VALUES(7,4,'accepted','2026-11-23T19:00:00.000000Z','2026-11-23T19:00:00.000000Z','1ec22018-0f0b-427c-be88-9f583b86c934','[{"inputs":{"created":"2026-11-23T19:00:00Z","in_service_since":"2026-11-01T00:00:00Z"},"outcome":"the ticket is newer: an incident","rule":"Tickets created before the bridge was put into service are left alone."},{"inputs":{"price":10},"outcome":"costs 10 points","rule":"\"All support incidents are charged at a rate of 10 points per incident.\""},{"inputs":{"now":"2026-11-23T19:00:00Z"},"outcome":"tested at 2026-11-23T19:00:00Z","rule":"The first decision tests points at the ticket''s own creation, at most 72 hours back."},{"inputs":{"on_hand_now":30,"on_hand_then":30},"outcome":"on hand at creation: accepted and charged","rule":"\"A support incident must be pre-purchased and on hand before a support ticket can be opened. The support points will be decremented when the ticket is opened.\""},{"inputs":{},"outcome":"the clock starts at 2026-11-23T19:00:00Z","rule":"The clock starts at the ticket''s creation when points were on hand then, at the release when it was held."},{"inputs":{},"outcome":"business hours of Europe/Berlin","rule":"\"Incident Support is available Monday through Friday, 9:00 - 17:00 in your local time zone. Incident support is not available on major government holidays.\""},{"inputs":{"started_at":"2026-11-23T19:00:00Z","target_s":14400,"zone":"Europe/Berlin"},"outcome":"first response due 2026-11-24T12:00:00Z","rule":"\"a support technician will respond to your inquiry within four business hours\""}]');
INSERT INTO "decisions" VALUES(8,5,'held','2026-11-24T07:00:00.000000Z','2026-11-24T07:00:00.000000Z','a64fd4b2-a364-42c7-aca7-c0af89bd0894','[{"inputs":{"created":"2026-11-24T07:00:00Z","in_service_since":"2026-11-01T00:00:00Z"},"outcome":"the ticket is newer: an incident","rule":"Tickets created before the bridge was put into service are left alone."},{"inputs":{"price":10},"outcome":"costs 10 points","rule":"\"All support incidents are charged at a rate of 10 points per incident.\""},{"inputs":{"now":"2026-11-24T07:00:00Z"},"outcome":"tested at 2026-11-24T07:00:00Z","rule":"The first decision tests points at the ticket''s own creation, at most 72 hours back."},{"inputs":{"on_hand_now":0,"on_hand_then":0},"outcome":"too few points: held","rule":"\"A support incident must be pre-purchased and on hand before a support ticket can be opened. The support points will be decremented when the ticket is opened.\""},{"inputs":{},"outcome":"no charge, no clock","rule":"A ticket without points is held: not worked, no clock, until points are bought."}]');
INSERT INTO "decisions" VALUES(9,5,'released','2026-11-26T07:00:00.000000Z','2026-11-26T07:00:00.000000Z',NULL,'[{"inputs":{},"outcome":"points are on hand now: released and charged","rule":"Every purchase or credit releases held incidents, oldest first, up to the balance."},{"inputs":{},"outcome":"the clock starts at 2026-11-26T07:00:00Z","rule":"The clock starts at the ticket''s creation when points were on hand then, at the release when it was held."},{"inputs":{},"outcome":"business hours of America/Toronto","rule":"\"Incident Support is available Monday through Friday, 9:00 - 17:00 in your local time zone. Incident support is not available on major government holidays.\""},{"inputs":{"started_at":"2026-11-26T07:00:00Z","target_s":14400,"zone":"America/Toronto"},"outcome":"first response due 2026-11-26T18:00:00Z","rule":"\"a support technician will respond to your inquiry within four business hours\""}]');
INSERT INTO "decisions" VALUES(10,6,'held','2026-11-26T07:00:00.000000Z','2026-11-26T07:00:00.000000Z','2f611edf-15bf-4820-b7cb-a9fc51c17985','[{"inputs":{"created":"2026-11-26T07:00:00Z","in_service_since":"2026-11-01T00:00:00Z"},"outcome":"the ticket is newer: an incident","rule":"Tickets created before the bridge was put into service are left alone."},{"inputs":{"price":10},"outcome":"costs 10 points","rule":"\"All support incidents are charged at a rate of 10 points per incident.\""},{"inputs":{"now":"2026-11-26T07:00:00Z"},"outcome":"tested at 2026-11-26T07:00:00Z","rule":"The first decision tests points at the ticket''s own creation, at most 72 hours back."},{"inputs":{"on_hand_now":0,"on_hand_then":0},"outcome":"too few points: held","rule":"\"A support incident must be pre-purchased and on hand before a support ticket can be opened. The support points will be decremented when the ticket is opened.\""},{"inputs":{},"outcome":"no charge, no clock","rule":"A ticket without points is held: not worked, no clock, until points are bought."}]');
INSERT INTO "decisions" VALUES(11,6,'declined','2026-12-16T07:00:00.000000Z','2026-12-16T07:00:00.000000Z',NULL,'[{"inputs":{"days":14},"outcome":"declined","rule":"A held ticket is declined on day 14, without a charge."}]');
INSERT INTO "decisions" VALUES(12,1,'reopened','2026-12-16T07:00:00.000000Z','2026-12-16T07:00:00.000000Z','acd09f42-4d78-4d25-8a34-25e12dabb0e3','[{"inputs":{"free_until":"2027-02-21","reopened_at":"2026-12-16T07:00:00Z"},"outcome":"re-opened for free, with a new clock","rule":"\"Once closed, a customer may request that the support incident be re-opened up to 90 days following original closure\""},{"inputs":{},"outcome":"the clock starts at 2026-12-16T07:00:00Z","rule":"The clock starts at the ticket''s creation when points were on hand then, at the release when it was held."},{"inputs":{},"outcome":"business hours of Europe/Berlin","rule":"\"Incident Support is available Monday through Friday, 9:00 - 17:00 in your local time zone. Incident support is not available on major government holidays.\""},{"inputs":{"started_at":"2026-12-16T07:00:00Z","target_s":14400,"zone":"Europe/Berlin"},"outcome":"first response due 2026-12-16T12:00:00Z","rule":"\"a support technician will respond to your inquiry within four business hours\""}]');
INSERT INTO "decisions" VALUES(13,1,'responded','2026-12-16T08:00:00.000000Z','2026-12-16T08:00:00.000000Z','225b38c6-6b95-4361-97d8-955f3a335dfd','[{"inputs":{"agent":"5","elapsed_s":0,"target_s":14400},"outcome":"met","rule":"The first public answer by a human agent stops the clock."}]');
INSERT INTO "decisions" VALUES(14,1,'closed','2026-12-16T08:00:00.000000Z','2026-12-16T08:00:00.000000Z','225b38c6-6b95-4361-97d8-955f3a335dfd','[{"inputs":{"first_closed_at":"2026-11-23T13:00:00Z"},"outcome":"free re-open until 2027-02-21","rule":"The free re-open is counted from the first closure, which never moves."}]');
INSERT INTO "decisions" VALUES(15,7,'accepted','2027-03-06T08:00:00.000000Z','2027-03-06T08:00:00.000000Z','faa4d22a-07e0-402a-9f9a-dc6562793855','[{"inputs":{"free_until":"2027-02-21","reopened_at":"2027-03-06T08:00:00Z"},"outcome":"gated as a new incident","rule":"Outside the 90 days a new incident is needed."},{"inputs":{"price":10},"outcome":"costs 10 points","rule":"\"All support incidents are charged at a rate of 10 points per incident.\""},{"inputs":{"now":"2027-03-06T08:00:00Z"},"outcome":"tested at 2027-03-06T08:00:00Z","rule":"The first decision tests points at the ticket''s own creation, at most 72 hours back."},{"inputs":{"on_hand_now":20,"on_hand_then":20},"outcome":"on hand at creation: accepted and charged","rule":"\"A support incident must be pre-purchased and on hand before a support ticket can be opened. The support points will be decremented when the ticket is opened.\""},{"inputs":{},"outcome":"the clock starts at 2027-03-06T08:00:00Z","rule":"The clock starts at the ticket''s creation when points were on hand then, at the release when it was held."},{"inputs":{},"outcome":"business hours of Europe/Berlin","rule":"\"Incident Support is available Monday through Friday, 9:00 - 17:00 in your local time zone. Incident support is not available on major government holidays.\""},{"inputs":{"started_at":"2027-03-06T08:00:00Z","target_s":14400,"zone":"Europe/Berlin"},"outcome":"first response due 2027-03-08T12:00:00Z","rule":"\"a support technician will respond to your inquiry within four business hours\""}]');
INSERT INTO "decisions" VALUES(16,8,'accepted','2027-03-06T08:00:00.000000Z','2027-03-06T08:00:00.000000Z','fdc834b1-d767-4145-b167-ca684aa04c32','[{"inputs":{"created":"2027-03-06T08:00:00Z","in_service_since":"2026-11-01T00:00:00Z"},"outcome":"the ticket is newer: an incident","rule":"Tickets created before the bridge was put into service are left alone."},{"inputs":{"price":10},"outcome":"costs 10 points","rule":"\"All support incidents are charged at a rate of 10 points per incident.\""},{"inputs":{"now":"2027-03-06T08:00:00Z"},"outcome":"tested at 2027-03-06T08:00:00Z","rule":"The first decision tests points at the ticket''s own creation, at most 72 hours back."},{"inputs":{"on_hand_now":10,"on_hand_then":10},"outcome":"on hand at creation: accepted and charged","rule":"\"A support incident must be pre-purchased and on hand before a support ticket can be opened. The support points will be decremented when the ticket is opened.\""},{"inputs":{},"outcome":"the clock starts at 2027-03-06T08:00:00Z","rule":"The clock starts at the ticket''s creation when points were on hand then, at the release when it was held."},{"inputs":{},"outcome":"business hours of Europe/Berlin","rule":"\"Incident Support is available Monday through Friday, 9:00 - 17:00 in your local time zone. Incident support is not available on major government holidays.\""},{"inputs":{"started_at":"2027-03-06T08:00:00Z","target_s":14400,"zone":"Europe/Berlin"},"outcome":"first response due 2027-03-08T12:00:00Z","rule":"\"a support technician will respond to your inquiry within four business hours\""}]');
INSERT INTO "decisions" VALUES(17,9,'accepted','2027-03-06T08:00:00.000000Z','2027-03-06T08:00:00.000000Z','95bd201f-d735-49d2-bb75-ce7919526919','[{"inputs":{"created":"2027-03-06T08:00:00Z","in_service_since":"2026-11-01T00:00:00Z"},"outcome":"the ticket is newer: an incident","rule":"Tickets created before the bridge was put into service are left alone."},{"inputs":{"price":10},"outcome":"costs 10 points","rule":"\"All support incidents are charged at a rate of 10 points per incident.\""},{"inputs":{"now":"2027-03-06T08:00:00Z"},"outcome":"tested at 2027-03-06T08:00:00Z","rule":"The first decision tests points at the ticket''s own creation, at most 72 hours back."},{"inputs":{"on_hand_now":10,"on_hand_then":10},"outcome":"on hand at creation: accepted and charged","rule":"\"A support incident must be pre-purchased and on hand before a support ticket can be opened. The support points will be decremented when the ticket is opened.\""},{"inputs":{},"outcome":"the clock starts at 2027-03-06T08:00:00Z","rule":"The clock starts at the ticket''s creation when points were on hand then, at the release when it was held."},{"inputs":{},"outcome":"business hours of America/Toronto","rule":"\"Incident Support is available Monday through Friday, 9:00 - 17:00 in your local time zone. Incident support is not available on major government holidays.\""},{"inputs":{"started_at":"2027-03-06T08:00:00Z","target_s":14400,"zone":"America/Toronto"},"outcome":"first response due 2027-03-08T18:00:00Z","rule":"\"a support technician will respond to your inquiry within four business hours\""}]');
INSERT INTO "decisions" VALUES(18,10,'held','2027-03-06T08:00:00.000000Z','2027-03-06T08:00:00.000000Z','f92b3ea7-1bd1-4cc9-b109-7596e9dd0616','[{"inputs":{"created":"2027-03-06T08:00:00Z","in_service_since":"2026-11-01T00:00:00Z"},"outcome":"the ticket is newer: an incident","rule":"Tickets created before the bridge was put into service are left alone."},{"inputs":{"price":10},"outcome":"costs 10 points","rule":"\"All support incidents are charged at a rate of 10 points per incident.\""},{"inputs":{"now":"2027-03-06T08:00:00Z"},"outcome":"tested at 2027-03-06T08:00:00Z","rule":"The first decision tests points at the ticket''s own creation, at most 72 hours back."},{"inputs":{"on_hand_now":0,"on_hand_then":0},"outcome":"too few points: held","rule":"\"A support incident must be pre-purchased and on hand before a support ticket can be opened. The support points will be decremented when the ticket is opened.\""},{"inputs":{},"outcome":"no charge, no clock","rule":"A ticket without points is held: not worked, no clock, until points are bought."}]');
CREATE TABLE displays (
	helpdesk TEXT NOT NULL, 
	customer_ref TEXT NOT NULL, 
	account_id INTEGER NOT NULL, 
	tx_id INTEGER NOT NULL, 
	stale_at TEXT NOT NULL, 
	next_at TEXT NOT NULL, 
	problem TEXT, 
	CONSTRAINT pk_displays PRIMARY KEY (helpdesk, customer_ref), 
	CONSTRAINT fk_displays_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
)
 STRICT

;
INSERT INTO "displays" VALUES('support','organization:2',1,6,'2027-03-07T08:00:00.000000Z','2027-03-06T08:00:12.000000Z',NULL);
INSERT INTO "displays" VALUES('support','organization:3',2,8,'2027-03-07T08:00:00.000000Z','2027-03-06T08:00:12.000000Z',NULL);
INSERT INTO "displays" VALUES('cloud','organization:6130830349850',1,6,'2027-03-07T08:00:00.000000Z','2027-03-06T08:00:12.000000Z',NULL);
CREATE TABLE entries (
	id INTEGER NOT NULL, 
	tx_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	lot_id INTEGER NOT NULL, 
	delta INTEGER NOT NULL, 
	CONSTRAINT pk_entries PRIMARY KEY (id), 
	CONSTRAINT uq_entries_tx_id_lot_id UNIQUE (tx_id, lot_id), 
	CONSTRAINT fk_entries_tx_id_kind FOREIGN KEY(tx_id, kind) REFERENCES txs (id, kind), 
	CONSTRAINT ck_entries_delta CHECK (CASE WHEN kind IN ('purchase', 'credit') THEN delta > 0 WHEN kind = 'adjustment' THEN delta <> 0 ELSE delta < 0 END), 
	CONSTRAINT fk_entries_lot_id FOREIGN KEY(lot_id) REFERENCES lots (id)
)
 STRICT

;
INSERT INTO "entries" VALUES(1,1,'purchase',1,50);
INSERT INTO "entries" VALUES(2,2,'purchase',2,10);
INSERT INTO "entries" VALUES(3,3,'charge',1,-10);
INSERT INTO "entries" VALUES(4,4,'charge',2,-10);
INSERT INTO "entries" VALUES(5,5,'charge',1,-10);
INSERT INTO "entries" VALUES(6,6,'charge',1,-10);
INSERT INTO "entries" VALUES(7,7,'purchase',3,20);
INSERT INTO "entries" VALUES(8,8,'charge',3,-10);
INSERT INTO "entries" VALUES(9,9,'charge',1,-10);
INSERT INTO "entries" VALUES(10,10,'charge',1,-10);
INSERT INTO "entries" VALUES(11,11,'charge',3,-10);
CREATE TABLE helpdesks (
	name TEXT NOT NULL, 
	first_seen_at TEXT NOT NULL, 
	CONSTRAINT pk_helpdesks PRIMARY KEY (name)
)
 STRICT

;
INSERT INTO "helpdesks" VALUES('cloud','2026-11-23T09:00:00.000000Z');
INSERT INTO "helpdesks" VALUES('support','2026-11-23T09:00:00.000000Z');
CREATE TABLE inbox (
	id INTEGER NOT NULL, 
	helpdesk TEXT NOT NULL, 
	delivery_id TEXT NOT NULL, 
	ticket_id TEXT, 
	event TEXT NOT NULL, 
	headers TEXT NOT NULL, 
	body BLOB, 
	body_sha256 TEXT NOT NULL, 
	received_at TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER DEFAULT 0 NOT NULL, 
	next_at TEXT NOT NULL, 
	leased_until TEXT, 
	finished_at TEXT, 
	outcome TEXT, 
	CONSTRAINT pk_inbox PRIMARY KEY (id), 
	CONSTRAINT uq_inbox_helpdesk_delivery_id UNIQUE (helpdesk, delivery_id), 
	CONSTRAINT ck_inbox_state CHECK (state IN ('queued', 'done', 'dead', 'discarded'))
)
 STRICT

;
INSERT INTO "inbox" VALUES(1,'support','d55f14e1-7493-442d-b751-b0ecf044238a','2','zz-points-bridge: created','{"content-length":"7793","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=761b8660c168892a9e4423f5bbf1063df95b91a0","x-zammad-delivery":"d55f14e1-7493-442d-b751-b0ecf044238a","x-zammad-trigger":"zz-points-bridge: created"}',NULL,'4e2f01e6c0aea42977fca95924ac4252aee55dd32990ad736763881d7a8ffb7e','2026-11-23T09:00:00.000000Z','done',1,'2026-11-23T09:00:00.000000Z',NULL,'2026-11-23T09:00:00.000000Z','accepted');
INSERT INTO "inbox" VALUES(2,'support','26ce211f-4c2d-494d-8e79-8d115d6d272a','3','zz-points-bridge: created','{"content-length":"7967","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=6cc93cb30eeb8049bf2aa9a893e53f9b956122a9","x-zammad-delivery":"26ce211f-4c2d-494d-8e79-8d115d6d272a","x-zammad-trigger":"zz-points-bridge: created"}',NULL,'eae70c66865404f2288870c33cdb3cae14b491bcbbad3a21279af8f47da9c61e','2026-11-23T09:00:00.000000Z','done',1,'2026-11-23T09:00:00.000000Z',NULL,'2026-11-23T09:00:00.000000Z','accepted');
INSERT INTO "inbox" VALUES(3,'support','68e25871-79ee-4725-a344-2452032341b6','2','zz-points-bridge: agent article','{"content-length":"7879","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=ce80910ecea9b6f80995f699953ab2d8d2f017f0","x-zammad-delivery":"68e25871-79ee-4725-a344-2452032341b6","x-zammad-trigger":"zz-points-bridge: agent article"}',NULL,'484f067430b6c01eb5c4a213b6179c2448b618456661f0997ee81cd882526dc8','2026-11-23T11:00:00.000000Z','done',1,'2026-11-23T11:00:00.000000Z',NULL,'2026-11-23T11:00:00.000000Z','responded');
INSERT INTO "inbox" VALUES(4,'support','3407bba3-b27f-4109-81f9-e799250ba57d','2','zz-points-bridge: state changed','{"content-length":"7879","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=ce80910ecea9b6f80995f699953ab2d8d2f017f0","x-zammad-delivery":"3407bba3-b27f-4109-81f9-e799250ba57d","x-zammad-trigger":"zz-points-bridge: state changed"}',NULL,'484f067430b6c01eb5c4a213b6179c2448b618456661f0997ee81cd882526dc8','2026-11-23T11:00:00.000000Z','done',1,'2026-11-23T11:00:00.000000Z',NULL,'2026-11-23T11:00:00.000000Z','responded');
INSERT INTO "inbox" VALUES(5,'support','498b313c-bc69-4961-9b40-75b62c4f837a','2','zz-points-bridge: state changed','{"content-length":"5725","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=b36ceb09b82672d3a68e43140a13530ae636fcf3","x-zammad-delivery":"498b313c-bc69-4961-9b40-75b62c4f837a","x-zammad-trigger":"zz-points-bridge: state changed"}',NULL,'f9522e09e62baa189586989f491e730464273fad02f3b03aad9c5b7318a29846','2026-11-23T13:00:00.000000Z','done',1,'2026-11-23T13:00:00.000000Z',NULL,'2026-11-23T13:00:00.000000Z','closed');
INSERT INTO "inbox" VALUES(6,'support','17035476-5d13-485f-9853-dcbdc737e28f','3','zz-points-bridge: agent article','{"content-length":"7866","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=ce581646891b302e2edfb6fad0d18fa09f2ce340","x-zammad-delivery":"17035476-5d13-485f-9853-dcbdc737e28f","x-zammad-trigger":"zz-points-bridge: agent article"}',NULL,'0d41d34ca0618625e3e1f07c4ea720d8890f834e6a58de7ef5f6f951f9e89dd0','2026-11-23T19:00:00.000000Z','done',1,'2026-11-23T19:00:00.000000Z',NULL,'2026-11-23T19:00:00.000000Z','responded');
INSERT INTO "inbox" VALUES(7,'support','ace4d3cf-d4eb-4f8d-8a98-317ab3c5fa48','3','zz-points-bridge: state changed','{"content-length":"7866","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=ce581646891b302e2edfb6fad0d18fa09f2ce340","x-zammad-delivery":"ace4d3cf-d4eb-4f8d-8a98-317ab3c5fa48","x-zammad-trigger":"zz-points-bridge: state changed"}',NULL,'0d41d34ca0618625e3e1f07c4ea720d8890f834e6a58de7ef5f6f951f9e89dd0','2026-11-23T19:00:00.000000Z','done',1,'2026-11-23T19:00:00.000000Z',NULL,'2026-11-23T19:00:00.000000Z','responded');
INSERT INTO "inbox" VALUES(8,'cloud','01M84WF0W000000005JDRZE74T','1','created','{"content-length":"35","content-type":"application/json; charset=utf-8","user-agent":"Zendesk Webhook","x-zendesk-account-id":"21000001","x-zendesk-webhook-id":"01M83T4CM000000005JDRZE54T","x-zendesk-webhook-invocation-id":"01M84WF0W000000005JDRZE74T","x-zendesk-webhook-signature":"NhpDlCHVGD8TWamVYhQ6ahWJp5WfuPAsv95UJk0FQEQ=","x-zendesk-webhook-signature-timestamp":"2026-11-23T19:00:00Z"}',NULL,'0cf28232a46d5890191090c9c49d3ddef5d8eee777852879a2183981b6434dd8','2026-11-23T19:00:00.000000Z','done',1,'2026-11-23T19:00:00.000000Z',NULL,'2026-11-23T19:00:00.000000Z','accepted');
INSERT INTO "inbox" VALUES(9,'support','1ec22018-0f0b-427c-be88-9f583b86c934','4','zz-points-bridge: created','{"content-length":"7992","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=d32aeb82dbd29d821122bb2a04326fdd4f0c3cbd","x-zammad-delivery":"1ec22018-0f0b-427c-be88-9f583b86c934","x-zammad-trigger":"zz-points-bridge: created"}',NULL,'d30c030f0f28257525f823e87f6277804c8871abcefa87bbff53c080239d3425','2026-11-23T19:00:00.000000Z','done',1,'2026-11-23T19:00:00.000000Z',NULL,'2026-11-23T19:00:00.000000Z','accepted');
INSERT INTO "inbox" VALUES(10,'support','a64fd4b2-a364-42c7-aca7-c0af89bd0894','5','zz-points-bridge: created','{"content-length":"7557","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=2d1655ce21c16767e08005dd7d6422ad71140d15","x-zammad-delivery":"a64fd4b2-a364-42c7-aca7-c0af89bd0894","x-zammad-trigger":"zz-points-bridge: created"}',NULL,'fb4f780aaaa395cd68fa1afc86ff13b82fa6afc02ad0859202a01288c992fd84','2026-11-24T07:00:00.000000Z','done',1,'2026-11-24T07:00:00.000000Z',NULL,'2026-11-24T07:00:00.000000Z','held');
INSERT INTO "inbox" VALUES(11,'support','2f611edf-15bf-4820-b7cb-a9fc51c17985','6','zz-points-bridge: created','{"content-length":"7363","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=29c14826bdf38156fda22e7ae02063b61a2d5db0","x-zammad-delivery":"2f611edf-15bf-4820-b7cb-a9fc51c17985","x-zammad-trigger":"zz-points-bridge: created"}',NULL,'78c616ef134959a6d719551b86e1b564ac890056827e8030829ad0844e440f4d','2026-11-26T07:00:00.000000Z','done',1,'2026-11-26T07:00:00.000000Z',NULL,'2026-11-26T07:00:00.000000Z','held');
INSERT INTO "inbox" VALUES(12,'support','acd09f42-4d78-4d25-8a34-25e12dabb0e3','2','zz-points-bridge: customer article','{"content-length":"8164","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=ad579fb42e820591c3dd45e466b2278cd323cd77","x-zammad-delivery":"acd09f42-4d78-4d25-8a34-25e12dabb0e3","x-zammad-trigger":"zz-points-bridge: customer article"}',NULL,'a835570f0bcbe0193b2a36432d6115e503c2823e6e0c85a30c0ef7a9c4be2058','2026-12-16T07:00:00.000000Z','done',1,'2026-12-16T07:00:00.000000Z',NULL,'2026-12-16T07:00:00.000000Z','reopened');
INSERT INTO "inbox" VALUES(13,'support','8d92fce9-a097-4f8a-b4c3-def442043ea1','2','zz-points-bridge: state changed','{"content-length":"8164","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=ad579fb42e820591c3dd45e466b2278cd323cd77","x-zammad-delivery":"8d92fce9-a097-4f8a-b4c3-def442043ea1","x-zammad-trigger":"zz-points-bridge: state changed"}',NULL,'a835570f0bcbe0193b2a36432d6115e503c2823e6e0c85a30c0ef7a9c4be2058','2026-12-16T07:00:00.000000Z','done',1,'2026-12-16T07:00:00.000000Z',NULL,'2026-12-16T07:00:00.000000Z','reopened');
INSERT INTO "inbox" VALUES(14,'support','225b38c6-6b95-4361-97d8-955f3a335dfd','2','zz-points-bridge: agent article','{"content-length":"7943","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=024d87109fa7395ca14736c59dfda8bac0c343a4","x-zammad-delivery":"225b38c6-6b95-4361-97d8-955f3a335dfd","x-zammad-trigger":"zz-points-bridge: agent article"}',NULL,'d132c05dc699e0c61697b97f9d45789719bf56517effb76971e1e9c0075847ec','2026-12-16T08:00:00.000000Z','done',1,'2026-12-16T08:00:00.000000Z',NULL,'2026-12-16T08:00:00.000000Z','responded, closed');
INSERT INTO "inbox" VALUES(15,'support','f46c158d-ecad-45f3-9550-f728d660086e','2','zz-points-bridge: state changed','{"content-length":"7943","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=024d87109fa7395ca14736c59dfda8bac0c343a4","x-zammad-delivery":"f46c158d-ecad-45f3-9550-f728d660086e","x-zammad-trigger":"zz-points-bridge: state changed"}',NULL,'d132c05dc699e0c61697b97f9d45789719bf56517effb76971e1e9c0075847ec','2026-12-16T08:00:00.000000Z','done',1,'2026-12-16T08:00:00.000000Z',NULL,'2026-12-16T08:00:00.000000Z','responded, closed');
INSERT INTO "inbox" VALUES(16,'support','faa4d22a-07e0-402a-9f9a-dc6562793855','2','zz-points-bridge: customer article','{"content-length":"8176","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=4c2306c2314a33ab75db80d1285c06c3614dd3bb","x-zammad-delivery":"faa4d22a-07e0-402a-9f9a-dc6562793855","x-zammad-trigger":"zz-points-bridge: customer article"}',NULL,'edff2ced8f20468f68656224cf3398f167bc9ad7708d545f01ad9276e37640f1','2027-03-06T08:00:00.000000Z','done',1,'2027-03-06T08:00:00.000000Z',NULL,'2027-03-06T08:00:00.000000Z','accepted');
INSERT INTO "inbox" VALUES(17,'support','634763ba-a88c-401c-b8e3-1068ff0fc63c','2','zz-points-bridge: state changed','{"content-length":"8176","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=4c2306c2314a33ab75db80d1285c06c3614dd3bb","x-zammad-delivery":"634763ba-a88c-401c-b8e3-1068ff0fc63c","x-zammad-trigger":"zz-points-bridge: state changed"}',NULL,'edff2ced8f20468f68656224cf3398f167bc9ad7708d545f01ad9276e37640f1','2027-03-06T08:00:00.000000Z','done',1,'2027-03-06T08:00:00.000000Z',NULL,'2027-03-06T08:00:00.000000Z','accepted');
INSERT INTO "inbox" VALUES(18,'support','fdc834b1-d767-4145-b167-ca684aa04c32','7','zz-points-bridge: created','{"content-length":"7970","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=8fe690a9e083dbbce73a2422a6cff8e2edd84c1c","x-zammad-delivery":"fdc834b1-d767-4145-b167-ca684aa04c32","x-zammad-trigger":"zz-points-bridge: created"}',NULL,'d2bc4bd22bf99204565f0c945fccfd5ae6892b26abb25be170fc80db3fa17a97','2027-03-06T08:00:00.000000Z','done',1,'2027-03-06T08:00:00.000000Z',NULL,'2027-03-06T08:00:00.000000Z','accepted');
INSERT INTO "inbox" VALUES(19,'support','95bd201f-d735-49d2-bb75-ce7919526919','8','zz-points-bridge: created','{"content-length":"7944","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=4ca0c807c60ab2159d4d092e01853411ca8907f8","x-zammad-delivery":"95bd201f-d735-49d2-bb75-ce7919526919","x-zammad-trigger":"zz-points-bridge: created"}',NULL,'a7df44bca80a5e5e651e513863ff6a0284cddb4ba93a12f26c8fcf0fb71bcd30','2027-03-06T08:00:00.000000Z','done',1,'2027-03-06T08:00:00.000000Z',NULL,'2027-03-06T08:00:00.000000Z','accepted');
INSERT INTO "inbox" VALUES(20,'support','f92b3ea7-1bd1-4cc9-b109-7596e9dd0616','9','zz-points-bridge: created','{"content-length":"7944","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=081da9f158bce26ebe3fd97a944ecc81fa8ac8b2","x-zammad-delivery":"f92b3ea7-1bd1-4cc9-b109-7596e9dd0616","x-zammad-trigger":"zz-points-bridge: created"}',NULL,'cb05ffac8e1879fea55872b550b2e6425e86bdb20a01ebcca0fdfbf4bd8c8c9f','2027-03-06T08:00:00.000000Z','done',1,'2027-03-06T08:00:00.000000Z',NULL,'2027-03-06T08:00:00.000000Z','held');
INSERT INTO "inbox" VALUES(21,'support','unread:7ccfa1fbf3940e6f0c0375d87c0f9235a50514e14cb427bdfaf5077987b26ccf',NULL,'unreadable','{"content-length":"8","content-type":"application/json","user-agent":"python-requests/2.34.2","x-hub-signature":"sha1=117a8a155ab016fe4683c1f25c77a6d0e489cfac","x-zammad-delivery":"11111111-0000-4000-8000-000000000000"}',X'6E6F74206A736F6E','7ccfa1fbf3940e6f0c0375d87c0f9235a50514e14cb427bdfaf5077987b26ccf','2027-03-06T08:00:00.000000Z','dead',0,'2027-03-06T08:00:00.000000Z',NULL,NULL,'the body is not JSON');
INSERT INTO "inbox" VALUES(22,'support','01b1cc82-834d-49b2-95d7-7f32ffd6e2bc','10','zz-points-bridge: created','{"content-length":"7971","content-type":"application/json","user-agent":"Zammad User Agent","x-hub-signature":"sha1=95156a90edb3506a8cab248d6d53d0b93c4b8043","x-zammad-delivery":"01b1cc82-834d-49b2-95d7-7f32ffd6e2bc","x-zammad-trigger":"zz-points-bridge: created"}',X'7B227469636B6574223A7B2261727469636C655F636F756E74223A312C2261727469636C655F696473223A5B33362C33375D2C22636C6F73655F6174223A6E756C6C2C22636C6F73655F646966665F696E5F6D696E223A6E756C6C2C22636C6F73655F657363616C6174696F6E5F6174223A6E756C6C2C22636C6F73655F696E5F6D696E223A6E756C6C2C226372656174655F61727469636C655F73656E646572223A22437573746F6D6572222C226372656174655F61727469636C655F73656E6465725F6964223A322C226372656174655F61727469636C655F74797065223A22656D61696C222C226372656174655F61727469636C655F747970655F6964223A312C22637265617465645F6174223A22323032372D30332D30365430383A30303A30302E3030305A222C22637265617465645F6279223A7B22616374697665223A747275652C2261646472657373223A6E756C6C2C2263697479223A22222C22636F756E747279223A22222C22637265617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22637265617465645F6279223A2261646D696E406578616D706C652E636F6D222C22637265617465645F62795F6964223A332C226465706172746D656E74223A6E756C6C2C22656D61696C223A226361726C614061636D652E6578616D706C65222C22666178223A22222C2266697273746E616D65223A224361726C61222C226964223A362C22696D616765223A6E756C6C2C22696D6167655F736F75726365223A6E756C6C2C226C6173746E616D65223A22437573746F6D6572222C226C6F67696E223A226361726C614061636D652E6578616D706C65222C226D6F62696C65223A22222C226E6F7465223A22222C226F7267616E697A6174696F6E223A2241636D6520476D6248222C226F7267616E697A6174696F6E5F6964223A322C226F7267616E697A6174696F6E5F696473223A5B5D2C226F7267616E697A6174696F6E73223A5B5D2C226F75745F6F665F6F6666696365223A66616C73652C226F75745F6F665F6F66666963655F656E645F6174223A6E756C6C2C226F75745F6F665F6F66666963655F7265706C6163656D656E745F6964223A6E756C6C2C226F75745F6F665F6F66666963655F73746172745F6174223A6E756C6C2C226F766572766965775F736F7274696E675F696473223A5B5D2C226F766572766965775F736F7274696E6773223A5B5D2C2270686F6E65223A22222C22726F6C655F696473223A5B335D2C22726F6C6573223A5B22437573746F6D6572225D2C22736F75726365223A6E756C6C2C22737472656574223A22222C22757064617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22757064617465645F6279223A2261646D696E406578616D706C652E636F6D222C22757064617465645F62795F6964223A332C227665726966696564223A66616C73652C22766970223A66616C73652C22776562223A22222C227A6970223A22227D2C22637265617465645F62795F6964223A362C22637573746F6D6572223A7B22616374697665223A747275652C2261646472657373223A6E756C6C2C2263697479223A22222C22636F756E747279223A22222C22637265617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22637265617465645F6279223A2261646D696E406578616D706C652E636F6D222C22637265617465645F62795F6964223A332C226465706172746D656E74223A6E756C6C2C22656D61696C223A226361726C614061636D652E6578616D706C65222C22666178223A22222C2266697273746E616D65223A224361726C61222C226964223A362C22696D616765223A6E756C6C2C22696D6167655F736F75726365223A6E756C6C2C226C6173746E616D65223A22437573746F6D6572222C226C6F67696E223A226361726C614061636D652E6578616D706C65222C226D6F62696C65223A22222C226E6F7465223A22222C226F7267616E697A6174696F6E223A2241636D6520476D6248222C226F7267616E697A6174696F6E5F6964223A322C226F7267616E697A6174696F6E5F696473223A5B5D2C226F7267616E697A6174696F6E73223A5B5D2C226F75745F6F665F6F6666696365223A66616C73652C226F75745F6F665F6F66666963655F656E645F6174223A6E756C6C2C226F75745F6F665F6F66666963655F7265706C6163656D656E745F6964223A6E756C6C2C226F75745F6F665F6F66666963655F73746172745F6174223A6E756C6C2C226F766572766965775F736F7274696E675F696473223A5B5D2C226F766572766965775F736F7274696E6773223A5B5D2C2270686F6E65223A22222C22726F6C655F696473223A5B335D2C22726F6C6573223A5B22437573746F6D6572225D2C22736F75726365223A6E756C6C2C22737472656574223A22222C22757064617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22757064617465645F6279223A2261646D696E406578616D706C652E636F6D222C22757064617465645F62795F6964223A332C227665726966696564223A66616C73652C22766970223A66616C73652C22776562223A22222C227A6970223A22227D2C22637573746F6D65725F6964223A362C22657363616C6174696F6E5F6174223A6E756C6C2C2266697273745F726573706F6E73655F6174223A6E756C6C2C2266697273745F726573706F6E73655F646966665F696E5F6D696E223A6E756C6C2C2266697273745F726573706F6E73655F657363616C6174696F6E5F6174223A6E756C6C2C2266697273745F726573706F6E73655F696E5F6D696E223A6E756C6C2C2267726F7570223A7B22616374697665223A747275652C2261737369676E6D656E745F74696D656F7574223A6E756C6C2C22637265617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22637265617465645F6279223A222D222C22637265617465645F62795F6964223A312C22656D61696C5F616464726573735F6964223A312C22666F6C6C6F775F75705F61737369676E6D656E74223A747275652C22666F6C6C6F775F75705F706F737369626C65223A22796573222C226964223A312C226E616D65223A225573657273222C226E6F7465223A225374616E646172642047726F75702F506F6F6C20666F72205469636B6574732E222C2272656F70656E5F74696D655F696E5F64617973223A6E756C6C2C227368617265645F647261667473223A747275652C227369676E6174757265223A2264656661756C74222C227369676E61747572655F6964223A312C22757064617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22757064617465645F6279223A222D222C22757064617465645F62795F6964223A312C22757365725F696473223A5B332C342C355D2C227573657273223A5B2261646D696E406578616D706C652E636F6D222C226167656E74406578616D706C652E636F6D222C22627269646765406578616D706C652E636F6D225D7D2C2267726F75705F6964223A312C226964223A31302C226C6173745F636C6F73655F6174223A6E756C6C2C226C6173745F636F6E746163745F6167656E745F6174223A6E756C6C2C226C6173745F636F6E746163745F6174223A22323032372D30332D30365430383A30303A30302E3030305A222C226C6173745F636F6E746163745F637573746F6D65725F6174223A22323032372D30332D30365430383A30303A30302E3030305A222C226C6173745F6F776E65725F7570646174655F6174223A6E756C6C2C226E6F7465223A6E756C6C2C226E756D626572223A223535303130222C226F7267616E697A6174696F6E223A7B22616374697665223A747275652C22637265617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22637265617465645F6279223A2261646D696E406578616D706C652E636F6D222C22637265617465645F62795F6964223A332C22646F6D61696E223A22222C22646F6D61696E5F61737369676E6D656E74223A66616C73652C226964223A322C226D656D6265725F696473223A5B365D2C226D656D62657273223A5B226361726C614061636D652E6578616D706C65225D2C226E616D65223A2241636D6520476D6248222C226E6F7465223A22222C22706F696E74735F62616C616E6365223A32302C22706F696E74735F6E6578745F657870697279223A22323032372D31312D3233222C227365636F6E646172795F6D656D6265725F696473223A5B5D2C22736861726564223A747275652C22737570706F72745F636F756E747279223A224445222C22737570706F72745F7375626469766973696F6E223A224245222C22737570706F72745F74696D657A6F6E65223A224575726F70652F4265726C696E222C22757064617465645F6174223A22323032362D31312D32345430373A30303A30302E3030305A222C22757064617465645F6279223A22627269646765406578616D706C652E636F6D222C22757064617465645F62795F6964223A347D2C226F7267616E697A6174696F6E5F6964223A322C226F776E6572223A7B22616374697665223A66616C73652C2261646472657373223A22222C2263697479223A22222C22636F756E747279223A22222C22637265617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22637265617465645F6279223A222D222C22637265617465645F62795F6964223A312C226465706172746D656E74223A22222C22656D61696C223A22222C22666178223A22222C2266697273746E616D65223A222D222C226964223A312C22696D616765223A6E756C6C2C22696D6167655F736F75726365223A6E756C6C2C226C6173746E616D65223A22222C226C6F67696E223A222D222C226D6F62696C65223A22222C226E6F7465223A22222C226F7267616E697A6174696F6E5F6964223A6E756C6C2C226F7267616E697A6174696F6E5F696473223A5B5D2C226F7267616E697A6174696F6E73223A5B5D2C226F75745F6F665F6F6666696365223A66616C73652C226F75745F6F665F6F66666963655F656E645F6174223A6E756C6C2C226F75745F6F665F6F66666963655F7265706C6163656D656E745F6964223A6E756C6C2C226F75745F6F665F6F66666963655F73746172745F6174223A6E756C6C2C226F766572766965775F736F7274696E675F696473223A5B5D2C226F766572766965775F736F7274696E6773223A5B5D2C2270686F6E65223A22222C22726F6C655F696473223A5B5D2C22726F6C6573223A5B5D2C22736F75726365223A6E756C6C2C22737472656574223A22222C22757064617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22757064617465645F6279223A222D222C22757064617465645F62795F6964223A312C227665726966696564223A66616C73652C22766970223A66616C73652C22776562223A22222C227A6970223A22227D2C226F776E65725F6964223A312C2270656E64696E675F74696D65223A6E756C6C2C22706F696E74735F62616C616E6365223A302C22706F696E74735F63686172676564223A302C22706F696E74735F667265655F72656F70656E5F756E74696C223A6E756C6C2C22706F696E74735F6E6578745F657870697279223A6E756C6C2C22706F696E74735F726573706F6E73655F647565223A6E756C6C2C22706F696E74735F736C615F7374617465223A22222C22706F696E74735F7374617465223A22222C22707265666572656E636573223A7B7D2C227072696F72697479223A7B22616374697665223A747275652C22637265617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22637265617465645F6279223A222D222C22637265617465645F62795F6964223A312C2264656661756C745F637265617465223A747275652C226964223A322C226E616D65223A2232206E6F726D616C222C226E6F7465223A6E756C6C2C2275695F636F6C6F72223A6E756C6C2C2275695F69636F6E223A6E756C6C2C22757064617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22757064617465645F6279223A222D222C22757064617465645F62795F6964223A317D2C227072696F726974795F6964223A322C227374617465223A226E6577222C2273746174655F6964223A312C227469636B65745F74696D655F6163636F756E74696E67223A5B5D2C227469636B65745F74696D655F6163636F756E74696E675F696473223A5B5D2C2274696D655F756E6974223A6E756C6C2C227469746C65223A22517565756564222C2274797065223A6E756C6C2C227570646174655F646966665F696E5F6D696E223A6E756C6C2C227570646174655F657363616C6174696F6E5F6174223A6E756C6C2C227570646174655F696E5F6D696E223A6E756C6C2C22757064617465645F6174223A22323032372D30332D30365430383A30303A30302E3030305A222C22757064617465645F6279223A7B22616374697665223A747275652C2261646472657373223A6E756C6C2C2263697479223A22222C22636F756E747279223A22222C22637265617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22637265617465645F6279223A2261646D696E406578616D706C652E636F6D222C22637265617465645F62795F6964223A332C226465706172746D656E74223A6E756C6C2C22656D61696C223A226361726C614061636D652E6578616D706C65222C22666178223A22222C2266697273746E616D65223A224361726C61222C226964223A362C22696D616765223A6E756C6C2C22696D6167655F736F75726365223A6E756C6C2C226C6173746E616D65223A22437573746F6D6572222C226C6F67696E223A226361726C614061636D652E6578616D706C65222C226D6F62696C65223A22222C226E6F7465223A22222C226F7267616E697A6174696F6E223A2241636D6520476D6248222C226F7267616E697A6174696F6E5F6964223A322C226F7267616E697A6174696F6E5F696473223A5B5D2C226F7267616E697A6174696F6E73223A5B5D2C226F75745F6F665F6F6666696365223A66616C73652C226F75745F6F665F6F66666963655F656E645F6174223A6E756C6C2C226F75745F6F665F6F66666963655F7265706C6163656D656E745F6964223A6E756C6C2C226F75745F6F665F6F66666963655F73746172745F6174223A6E756C6C2C226F766572766965775F736F7274696E675F696473223A5B5D2C226F766572766965775F736F7274696E6773223A5B5D2C2270686F6E65223A22222C22726F6C655F696473223A5B335D2C22726F6C6573223A5B22437573746F6D6572225D2C22736F75726365223A6E756C6C2C22737472656574223A22222C22757064617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22757064617465645F6279223A2261646D696E406578616D706C652E636F6D222C22757064617465645F62795F6964223A332C227665726966696564223A66616C73652C22766970223A66616C73652C22776562223A22222C227A6970223A22227D2C22757064617465645F62795F6964223A367D2C2261727469636C65223A7B226174746163686D656E7473223A5B5D2C22626F6479223A2278222C226363223A6E756C6C2C22636F6E74656E745F74797065223A22746578742F706C61696E222C22637265617465645F6174223A22323032372D30332D30365430383A30303A30302E3030305A222C22637265617465645F6279223A7B22616374697665223A747275652C2261646472657373223A6E756C6C2C2263697479223A22222C22636F756E747279223A22222C22637265617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22637265617465645F6279223A2261646D696E406578616D706C652E636F6D222C22637265617465645F62795F6964223A332C226465706172746D656E74223A6E756C6C2C22656D61696C223A226361726C614061636D652E6578616D706C65222C22666178223A22222C2266697273746E616D65223A224361726C61222C226964223A362C22696D616765223A6E756C6C2C22696D6167655F736F75726365223A6E756C6C2C226C6173746E616D65223A22437573746F6D6572222C226C6F67696E223A226361726C614061636D652E6578616D706C65222C226D6F62696C65223A22222C226E6F7465223A22222C226F7267616E697A6174696F6E223A2241636D6520476D6248222C226F7267616E697A6174696F6E5F6964223A322C226F7267616E697A6174696F6E5F696473223A5B5D2C226F7267616E697A6174696F6E73223A5B5D2C226F75745F6F665F6F6666696365223A66616C73652C226F75745F6F665F6F66666963655F656E645F6174223A6E756C6C2C226F75745F6F665F6F66666963655F7265706C6163656D656E745F6964223A6E756C6C2C226F75745F6F665F6F66666963655F73746172745F6174223A6E756C6C2C226F766572766965775F736F7274696E675F696473223A5B5D2C226F766572766965775F736F7274696E6773223A5B5D2C2270686F6E65223A22222C22726F6C655F696473223A5B335D2C22726F6C6573223A5B22437573746F6D6572225D2C22736F75726365223A6E756C6C2C22737472656574223A22222C22757064617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22757064617465645F6279223A2261646D696E406578616D706C652E636F6D222C22757064617465645F62795F6964223A332C227665726966696564223A66616C73652C22766970223A66616C73652C22776562223A22222C227A6970223A22227D2C22637265617465645F62795F6964223A362C2266726F6D223A224361726C6120437573746F6D6572205C75303033636361726C614061636D652E6578616D706C655C7530303365222C226964223A33362C22696E5F7265706C795F746F223A6E756C6C2C22696E7465726E616C223A66616C73652C226D6573736167655F6964223A225C753030336332303237303330363038303030302E31302E30336637313966372D363363632D343236622D386335302D376231623534353038616535407A616D6D61642E6578616D706C655C7530303365222C226D6573736167655F69645F6D6435223A226536326533313535656233356638623135616638613961323336343163353563222C226F726967696E5F62795F6964223A6E756C6C2C22707265666572656E636573223A7B2273656E642D6175746F2D726573706F6E7365223A747275652C2269732D6175746F2D726573706F6E7365223A66616C73657D2C227265666572656E636573223A6E756C6C2C227265706C795F746F223A6E756C6C2C2273656E646572223A22437573746F6D6572222C2273656E6465725F6964223A322C227375626A656374223A22517565756564222C227469636B65745F6964223A31302C22746F223A22737570706F7274406578616D706C652E636F6D222C2274797065223A22656D61696C222C22747970655F6964223A312C22757064617465645F6174223A22323032372D30332D30365430383A30303A30302E3030305A222C22757064617465645F6279223A7B22616374697665223A747275652C2261646472657373223A6E756C6C2C2263697479223A22222C22636F756E747279223A22222C22637265617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22637265617465645F6279223A2261646D696E406578616D706C652E636F6D222C22637265617465645F62795F6964223A332C226465706172746D656E74223A6E756C6C2C22656D61696C223A226361726C614061636D652E6578616D706C65222C22666178223A22222C2266697273746E616D65223A224361726C61222C226964223A362C22696D616765223A6E756C6C2C22696D6167655F736F75726365223A6E756C6C2C226C6173746E616D65223A22437573746F6D6572222C226C6F67696E223A226361726C614061636D652E6578616D706C65222C226D6F62696C65223A22222C226E6F7465223A22222C226F7267616E697A6174696F6E223A2241636D6520476D6248222C226F7267616E697A6174696F6E5F6964223A322C226F7267616E697A6174696F6E5F696473223A5B5D2C226F7267616E697A6174696F6E73223A5B5D2C226F75745F6F665F6F6666696365223A66616C73652C226F75745F6F665F6F66666963655F656E645F6174223A6E756C6C2C226F75745F6F665F6F66666963655F7265706C6163656D656E745F6964223A6E756C6C2C226F75745F6F665F6F66666963655F73746172745F6174223A6E756C6C2C226F766572766965775F736F7274696E675F696473223A5B5D2C226F766572766965775F736F7274696E6773223A5B5D2C2270686F6E65223A22222C22726F6C655F696473223A5B335D2C22726F6C6573223A5B22437573746F6D6572225D2C22736F75726365223A6E756C6C2C22737472656574223A22222C22757064617465645F6174223A22323032362D31312D32335430393A30303A30302E3030305A222C22757064617465645F6279223A2261646D696E406578616D706C652E636F6D222C22757064617465645F62795F6964223A332C227665726966696564223A66616C73652C22766970223A66616C73652C22776562223A22222C227A6970223A22227D2C22757064617465645F62795F6964223A362C226163636F756E7465645F74696D65223A302E307D7D','ddce602d4aeaf9fff4305764d14d1f8ab161ace1742b9364c5c536d5416e76b7','2027-03-06T08:00:00.000000Z','queued',0,'2027-03-06T08:00:00.000000Z',NULL,NULL,NULL);
CREATE TABLE incidents (
	id INTEGER NOT NULL, 
	helpdesk TEXT NOT NULL, 
	ticket_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	ticket_number TEXT NOT NULL, 
	account_id INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	opened_at TEXT NOT NULL, 
	held_at TEXT, 
	reminded_day INTEGER DEFAULT 0 NOT NULL, 
	closed INTEGER DEFAULT 0 NOT NULL, 
	first_closed_at TEXT, 
	seen INTEGER DEFAULT 0 NOT NULL, 
	close_hint TEXT, 
	CONSTRAINT pk_incidents PRIMARY KEY (id), 
	CONSTRAINT uq_incidents_helpdesk_ticket_id_number UNIQUE (helpdesk, ticket_id, number), 
	CONSTRAINT ck_incidents_state CHECK (state IN ('charged', 'awaiting_points', 'free_reopen', 'credited', 'declined', 'review')), 
	CONSTRAINT ck_incidents_closed CHECK (closed IN (0, 1)), 
	CONSTRAINT ck_incidents_held CHECK ((state = 'awaiting_points') <= (held_at IS NOT NULL)), 
	CONSTRAINT fk_incidents_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
)
 STRICT

;
INSERT INTO "incidents" VALUES(1,'support','2',1,'55002',1,'free_reopen','2026-11-23T09:00:00.000000Z',NULL,0,1,'2026-11-23T13:00:00.000000Z',157,'2026-12-16T08:00:00.000000Z');
INSERT INTO "incidents" VALUES(2,'support','3',1,'55003',2,'charged','2026-11-23T09:00:00.000000Z',NULL,0,0,NULL,0,NULL);
INSERT INTO "incidents" VALUES(3,'cloud','1',1,'1',1,'charged','2026-11-23T19:00:00.000000Z',NULL,0,0,NULL,0,NULL);
INSERT INTO "incidents" VALUES(4,'support','4',1,'55004',1,'charged','2026-11-23T19:00:00.000000Z',NULL,0,0,NULL,0,NULL);
INSERT INTO "incidents" VALUES(5,'support','5',1,'55005',2,'charged','2026-11-24T07:00:00.000000Z','2026-11-24T07:00:00.000000Z',1,0,NULL,0,NULL);
INSERT INTO "incidents" VALUES(6,'support','6',1,'55006',3,'declined','2026-11-26T07:00:00.000000Z','2026-11-26T07:00:00.000000Z',0,0,NULL,0,NULL);
INSERT INTO "incidents" VALUES(7,'support','2',2,'55002',1,'charged','2027-03-06T08:00:00.000000Z',NULL,0,0,NULL,170,'2026-12-16T08:00:00.000000Z');
INSERT INTO "incidents" VALUES(8,'support','7',1,'55007',1,'charged','2027-03-06T08:00:00.000000Z',NULL,0,0,NULL,0,NULL);
INSERT INTO "incidents" VALUES(9,'support','8',1,'55008',2,'charged','2027-03-06T08:00:00.000000Z',NULL,0,0,NULL,0,NULL);
INSERT INTO "incidents" VALUES(10,'support','9',1,'55009',2,'awaiting_points','2027-03-06T08:00:00.000000Z','2027-03-06T08:00:00.000000Z',0,0,NULL,0,NULL);
CREATE TABLE links (
	helpdesk TEXT NOT NULL, 
	customer_ref TEXT NOT NULL, 
	account_id INTEGER NOT NULL, 
	zone TEXT, 
	country TEXT, 
	subdivision TEXT, 
	CONSTRAINT pk_links PRIMARY KEY (helpdesk, customer_ref), 
	CONSTRAINT fk_links_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
)
 STRICT

;
INSERT INTO "links" VALUES('support','organization:2',1,'Europe/Berlin','DE','BE');
INSERT INTO "links" VALUES('support','organization:3',2,'America/Toronto','CA','ON');
INSERT INTO "links" VALUES('cloud','organization:6130830349850',1,'Europe/Berlin',NULL,NULL);
INSERT INTO "links" VALUES('support','person:8',3,NULL,NULL,NULL);
CREATE TABLE lots (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	points INTEGER NOT NULL, 
	remaining INTEGER DEFAULT 0 NOT NULL, 
	purchased_on TEXT NOT NULL, 
	usable_from TEXT NOT NULL, 
	expires_at TEXT NOT NULL, 
	source TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	parent_id INTEGER, 
	CONSTRAINT pk_lots PRIMARY KEY (id), 
	CONSTRAINT ck_lots_kind CHECK (kind IN ('purchase', 'credit')), 
	CONSTRAINT ck_lots_points CHECK (points > 0), 
	CONSTRAINT ck_lots_remaining CHECK (remaining BETWEEN 0 AND points), 
	CONSTRAINT ck_lots_validity CHECK (usable_from < expires_at), 
	CONSTRAINT ck_lots_parent CHECK ((kind = 'credit') = (parent_id IS NOT NULL)), 
	CONSTRAINT uq_lots_source_reference UNIQUE (source, reference), 
	CONSTRAINT fk_lots_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_lots_parent_id FOREIGN KEY(parent_id) REFERENCES lots (id)
)
 STRICT

;
INSERT INTO "lots" VALUES(1,1,'purchase',50,0,'2026-11-23','2026-11-23T09:00:00.000000Z','2027-11-23T23:00:00.000000Z','cli','INV-1001',NULL);
INSERT INTO "lots" VALUES(2,2,'purchase',10,0,'2026-11-23','2026-11-23T09:00:00.000000Z','2027-11-23T23:00:00.000000Z','cli','INV-1002',NULL);
INSERT INTO "lots" VALUES(3,2,'purchase',20,0,'2026-11-26','2026-11-26T07:00:00.000000Z','2027-11-27T05:00:00.000000Z','cli','INV-1003',NULL);
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	helpdesk TEXT NOT NULL, 
	ticket_id TEXT NOT NULL, 
	incident_id INTEGER NOT NULL, 
	dedupe_key TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER DEFAULT 0 NOT NULL, 
	next_at TEXT NOT NULL, 
	leased_until TEXT, 
	finished_at TEXT, 
	outcome TEXT, 
	CONSTRAINT pk_outbox PRIMARY KEY (id), 
	CONSTRAINT ck_outbox_state CHECK (state IN ('queued', 'done', 'dead', 'discarded')), 
	CONSTRAINT fk_outbox_incident_id FOREIGN KEY(incident_id) REFERENCES incidents (id), 
	CONSTRAINT uq_outbox_dedupe_key UNIQUE (dedupe_key)
)
 STRICT

;
INSERT INTO "outbox" VALUES(1,'support','2',1,'support:2:decision:1','{"note":{"mark":"support:2:decision:1","public":false,"subject":"","text":"Points: 10 charged for this incident; Acme GmbH has 40 left. First response due 2026-11-23 14:00 (business hours of Europe/Berlin)."},"state":"charged"}','2026-11-23T09:00:00.000000Z','done',1,'2026-11-23T09:00:00.000000Z',NULL,'2026-11-23T09:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(2,'support','3',2,'support:3:decision:2','{"note":{"mark":"support:3:decision:2","public":false,"subject":"","text":"Points: 10 charged for this incident; Maple Inc has 0 left. First response due 2026-11-23 13:00 (business hours of America/Toronto)."},"state":"charged"}','2026-11-23T09:00:00.000000Z','done',1,'2026-11-23T09:00:00.000000Z',NULL,'2026-11-23T09:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(3,'support','2',1,'support:2:decision:3','{"state":"charged"}','2026-11-23T11:00:00.000000Z','done',1,'2026-11-23T11:00:00.000000Z',NULL,'2026-11-23T11:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(4,'support','2',1,'support:2:decision:4','{"state":"charged"}','2026-11-23T13:00:00.000000Z','done',1,'2026-11-23T13:00:00.000000Z',NULL,'2026-11-23T13:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(5,'support','3',2,'support:3:fields:2:clock-1-breached','{"state":"charged"}','2026-11-23T19:00:00.000000Z','done',1,'2026-11-23T19:00:00.000000Z',NULL,'2026-11-23T19:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(6,'support','3',2,'support:3:decision:5','{"state":"charged"}','2026-11-23T19:00:00.000000Z','done',1,'2026-11-23T19:00:00.000000Z',NULL,'2026-11-23T19:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(7,'cloud','1',3,'cloud:1:decision:6','{"note":{"mark":"cloud:1:decision:6","public":false,"subject":"","text":"Points: 10 charged for this incident; Acme GmbH has 30 left. First response due 2026-11-24 13:00 (business hours of Europe/Berlin)."},"state":"charged"}','2026-11-23T19:00:00.000000Z','done',1,'2026-11-23T19:00:00.000000Z',NULL,'2026-11-23T19:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(8,'support','4',4,'support:4:decision:7','{"note":{"mark":"support:4:decision:7","public":false,"subject":"","text":"Points: 10 charged for this incident; Acme GmbH has 20 left. First response due 2026-11-24 13:00 (business hours of Europe/Berlin)."},"state":"charged"}','2026-11-23T19:00:00.000000Z','done',1,'2026-11-23T19:00:00.000000Z',NULL,'2026-11-23T19:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(9,'support','5',5,'support:5:decision:8','{"note":{"mark":"support:5:decision:8","public":true,"subject":"Your request 55005 is waiting for support points","text":"Hello,\n\nthank you for your request 55005. An incident costs 10 support points, and Maple Inc has 0 on hand. We start as soon as enough points are bought; you need not write again.\n\nIf no points are bought by 2026-12-08, the request is declined without a charge."},"state":"awaiting_points"}','2026-11-24T07:00:00.000000Z','done',1,'2026-11-24T07:00:00.000000Z',NULL,'2026-11-24T07:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(10,'cloud','1',3,'cloud:1:fields:3:clock-1-breached','{"state":"charged"}','2026-11-26T07:00:00.000000Z','done',1,'2026-11-26T07:00:00.000000Z',NULL,'2026-11-26T07:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(11,'support','4',4,'support:4:fields:4:clock-1-breached','{"state":"charged"}','2026-11-26T07:00:00.000000Z','done',1,'2026-11-26T07:00:00.000000Z',NULL,'2026-11-26T07:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(12,'support','5',5,'support:5:reminder:5:1','{"note":{"mark":"support:5:reminder:5:1","public":true,"subject":"Your request 55005 is still waiting for support points","text":"Hello,\n\nyour request 55005 is still waiting: an incident costs 10 support points, and Maple Inc has 0 on hand.\n\nIf no points are bought by 2026-12-08, the request is declined without a charge."},"state":"awaiting_points"}','2026-11-26T07:00:00.000000Z','done',1,'2026-11-26T07:00:00.000000Z',NULL,'2026-11-26T07:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(13,'support','5',5,'support:5:decision:9','{"note":{"mark":"support:5:decision:9","public":false,"subject":"","text":"Points: released. Points came in for Maple Inc, 10 were charged for this incident, 10 are left. The clock starts now: first response due 2026-11-26 13:00 (business hours of America/Toronto)."},"state":"charged"}','2026-11-26T07:00:00.000000Z','done',1,'2026-11-26T07:00:00.000000Z',NULL,'2026-11-26T07:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(14,'support','6',6,'support:6:decision:10','{"note":{"mark":"support:6:decision:10","public":true,"subject":"Your request 55006 is waiting for support points","text":"Hello,\n\nthank you for your request 55006. An incident costs 10 support points, and stranger@nowhere.example has 0 on hand. We start as soon as enough points are bought; you need not write again.\n\nIf no points are bought by 2026-12-10, the request is declined without a charge."},"state":"awaiting_points"}','2026-11-26T07:00:00.000000Z','done',1,'2026-11-26T07:00:00.000000Z',NULL,'2026-11-26T07:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(15,'support','5',5,'support:5:fields:5:clock-1-breached','{"state":"charged"}','2026-12-16T07:00:00.000000Z','done',1,'2026-12-16T07:00:00.000000Z',NULL,'2026-12-16T07:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(16,'support','6',6,'support:6:decision:11','{"note":{"mark":"support:6:decision:11","public":true,"subject":"Your request 55006 was declined","text":"Hello,\n\nno support points were bought for your request 55006 within 14 days, so we have to decline it. Nothing was charged. You are welcome to open a new request once there are points."},"state":"declined","status":"closed"}','2026-12-16T07:00:00.000000Z','done',1,'2026-12-16T07:00:00.000000Z',NULL,'2026-12-16T07:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(17,'support','2',1,'support:2:decision:12','{"note":{"mark":"support:2:decision:12","public":false,"subject":"","text":"Points: free re-open, nothing charged. The first closure was on 2026-11-23 and re-opening is free until 2027-02-21. New clock: first response due 2026-12-16 13:00 (business hours of Europe/Berlin)."},"state":"free_reopen"}','2026-12-16T07:00:00.000000Z','done',1,'2026-12-16T07:00:00.000000Z',NULL,'2026-12-16T07:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(18,'support','2',1,'support:2:decision:14','{"state":"free_reopen"}','2026-12-16T08:00:00.000000Z','done',1,'2026-12-16T08:00:00.000000Z',NULL,'2026-12-16T08:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(19,'support','2',7,'support:2:decision:15','{"note":{"mark":"support:2:decision:15","public":false,"subject":"","text":"Points: re-opened after the free period, which ended on 2027-02-21, so this counts as a new incident. 10 charged; Acme GmbH has 10 left. First response due 2027-03-08 13:00 (business hours of Europe/Berlin)."},"state":"charged"}','2027-03-06T08:00:00.000000Z','done',1,'2027-03-06T08:00:00.000000Z',NULL,'2027-03-06T08:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(20,'support','7',8,'support:7:decision:16','{"note":{"mark":"support:7:decision:16","public":false,"subject":"","text":"Points: 10 charged for this incident; Acme GmbH has 0 left. First response due 2027-03-08 13:00 (business hours of Europe/Berlin)."},"state":"charged"}','2027-03-06T08:00:00.000000Z','done',1,'2027-03-06T08:00:00.000000Z',NULL,'2027-03-06T08:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(21,'support','8',9,'support:8:decision:17','{"note":{"mark":"support:8:decision:17","public":false,"subject":"","text":"Points: 10 charged for this incident; Maple Inc has 0 left. First response due 2027-03-08 13:00 (business hours of America/Toronto)."},"state":"charged"}','2027-03-06T08:00:00.000000Z','done',1,'2027-03-06T08:00:00.000000Z',NULL,'2027-03-06T08:00:00.000000Z','written');
INSERT INTO "outbox" VALUES(22,'support','9',10,'support:9:decision:18','{"note":{"mark":"support:9:decision:18","public":true,"subject":"Your request 55009 is waiting for support points","text":"Hello,\n\nthank you for your request 55009. An incident costs 10 support points, and Maple Inc has 0 on hand. We start as soon as enough points are bought; you need not write again.\n\nIf no points are bought by 2027-03-20, the request is declined without a charge."},"state":"awaiting_points"}','2027-03-06T08:00:00.000000Z','done',1,'2027-03-06T08:00:00.000000Z',NULL,'2027-03-06T08:00:00.000000Z','written');
CREATE TABLE txs (
	id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	dedupe_key TEXT NOT NULL, 
	account_id INTEGER NOT NULL, 
	incident_id INTEGER, 
	reverses_id INTEGER, 
	points INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	valid_at TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_txs PRIMARY KEY (id), 
	CONSTRAINT uq_txs_id_kind UNIQUE (id, kind), 
	CONSTRAINT ck_txs_kind CHECK (kind IN ('purchase', 'charge', 'credit', 'refund', 'expiry', 'adjustment')), 
	CONSTRAINT ck_txs_points CHECK (points > 0), 
	CONSTRAINT ck_txs_valid_at CHECK (valid_at <= at), 
	CONSTRAINT ck_txs_incident CHECK (kind <> 'charge' OR incident_id IS NOT NULL), 
	CONSTRAINT ck_txs_reverses CHECK (kind <> 'credit' OR reverses_id IS NOT NULL), 
	CONSTRAINT uq_txs_dedupe_key UNIQUE (dedupe_key), 
	CONSTRAINT fk_txs_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_txs_incident_id FOREIGN KEY(incident_id) REFERENCES incidents (id), 
	CONSTRAINT fk_txs_reverses_id FOREIGN KEY(reverses_id) REFERENCES txs (id)
)
 STRICT

;
INSERT INTO "txs" VALUES(1,'purchase','purchase:lot:1',1,NULL,NULL,50,'2026-11-23T09:00:00.000000Z','2026-11-23T09:00:00.000000Z','cli','bought: cli INV-1001');
INSERT INTO "txs" VALUES(2,'purchase','purchase:lot:2',2,NULL,NULL,10,'2026-11-23T09:00:00.000000Z','2026-11-23T09:00:00.000000Z','cli','bought: cli INV-1002');
INSERT INTO "txs" VALUES(3,'charge','charge:incident:1',1,1,NULL,10,'2026-11-23T09:00:00.000000Z','2026-11-23T09:00:00.000000Z','bridge','accepted');
INSERT INTO "txs" VALUES(4,'charge','charge:incident:2',2,2,NULL,10,'2026-11-23T09:00:00.000000Z','2026-11-23T09:00:00.000000Z','bridge','accepted');
INSERT INTO "txs" VALUES(5,'charge','charge:incident:3',1,3,NULL,10,'2026-11-23T19:00:00.000000Z','2026-11-23T19:00:00.000000Z','bridge','accepted');
INSERT INTO "txs" VALUES(6,'charge','charge:incident:4',1,4,NULL,10,'2026-11-23T19:00:00.000000Z','2026-11-23T19:00:00.000000Z','bridge','accepted');
INSERT INTO "txs" VALUES(7,'purchase','purchase:lot:3',2,NULL,NULL,20,'2026-11-26T07:00:00.000000Z','2026-11-26T07:00:00.000000Z','cli','bought: cli INV-1003');
INSERT INTO "txs" VALUES(8,'charge','charge:incident:5',2,5,NULL,10,'2026-11-26T07:00:00.000000Z','2026-11-26T07:00:00.000000Z','bridge','released');
INSERT INTO "txs" VALUES(9,'charge','charge:incident:7',1,7,NULL,10,'2027-03-06T08:00:00.000000Z','2027-03-06T08:00:00.000000Z','bridge','accepted');
INSERT INTO "txs" VALUES(10,'charge','charge:incident:8',1,8,NULL,10,'2027-03-06T08:00:00.000000Z','2027-03-06T08:00:00.000000Z','bridge','accepted');
INSERT INTO "txs" VALUES(11,'charge','charge:incident:9',2,9,NULL,10,'2027-03-06T08:00:00.000000Z','2027-03-06T08:00:00.000000Z','bridge','accepted');
CREATE INDEX ix_links_account_id ON links (account_id);
CREATE INDEX ix_lots_live ON lots (account_id, expires_at) WHERE remaining > 0;
CREATE INDEX ix_lots_later ON lots (account_id, usable_from) WHERE remaining > 0;
CREATE INDEX ix_lots_due ON lots (expires_at) WHERE remaining > 0;
CREATE INDEX ix_incidents_held ON incidents (account_id, held_at) WHERE state = 'awaiting_points';
CREATE INDEX ix_clocks_running ON clocks (due_at) WHERE result IN ('running', 'at_risk');
CREATE INDEX ix_txs_account_id ON txs (account_id);
CREATE INDEX ix_txs_incident_id ON txs (incident_id);
CREATE INDEX ix_txs_reverses_id ON txs (reverses_id);
CREATE UNIQUE INDEX uq_txs_charge ON txs (incident_id) WHERE kind = 'charge';
CREATE INDEX ix_entries_lot_id_delta ON entries (lot_id, delta);
CREATE UNIQUE INDEX uq_entries_purchase ON entries (lot_id) WHERE kind = 'purchase';
CREATE INDEX ix_decisions_incident_id ON decisions (incident_id);
CREATE INDEX ix_inbox_queued ON inbox (next_at) WHERE state = 'queued';
CREATE INDEX ix_inbox_ticket ON inbox (helpdesk, ticket_id);
CREATE INDEX ix_outbox_queued ON outbox (next_at) WHERE state = 'queued';
CREATE INDEX ix_outbox_ticket ON outbox (helpdesk, ticket_id);
CREATE TRIGGER guard_account_insert BEFORE INSERT ON accounts
BEGIN
    SELECT RAISE(ABORT, 'an account begins with a balance of 0: book a purchase')
    WHERE NEW.balance IS NOT 0;
    SELECT RAISE(ABORT, 'there is such an account already, and it is never replaced')
    WHERE EXISTS (SELECT 1 FROM accounts WHERE id = NEW.id OR ref = NEW.ref);
END;
CREATE TRIGGER guard_account_update BEFORE UPDATE ON accounts
BEGIN
    SELECT RAISE(ABORT, 'an account keeps its id')
    WHERE NEW.id IS NOT OLD.id;
    SELECT RAISE(ABORT, 'another account has that ref')
    WHERE EXISTS (SELECT 1 FROM accounts WHERE ref = NEW.ref AND id <> OLD.id);
    SELECT RAISE(ABORT, 'a balance is the sum of the account''s lots: book an entry')
    WHERE NEW.balance IS NOT
        (SELECT coalesce(sum(remaining), 0) FROM lots
         WHERE account_id = NEW.id AND remaining > 0)
        AND NEW.balance IS NOT OLD.balance;
END;
CREATE TRIGGER guard_account_delete BEFORE DELETE ON accounts
BEGIN
    SELECT RAISE(ABORT, 'an account with lots, bookings or incidents is never deleted')
    WHERE EXISTS (SELECT 1 FROM lots WHERE account_id = OLD.id)
        OR EXISTS (SELECT 1 FROM txs WHERE account_id = OLD.id)
        OR EXISTS (SELECT 1 FROM incidents WHERE account_id = OLD.id);
END;
CREATE TRIGGER guard_lot_insert BEFORE INSERT ON lots
BEGIN
    SELECT RAISE(ABORT, 'there is such a lot already, and it is never replaced')
    WHERE EXISTS (SELECT 1 FROM lots WHERE id = NEW.id)
        OR EXISTS (SELECT 1 FROM lots WHERE source = NEW.source AND reference = NEW.reference);
    SELECT RAISE(ABORT, 'a lot begins with 0 remaining: book an entry')
    WHERE NEW.remaining IS NOT 0;
    SELECT RAISE(ABORT, 'a lot needs points above 0')
    WHERE coalesce(NEW.points, 0) <= 0;
    SELECT RAISE(ABORT, 'a lot needs its account')
    WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = NEW.account_id);
    SELECT RAISE(ABORT, 'a credit lot, and only that, has a parent, of the same account')
    WHERE (NEW.kind = 'credit') IS NOT (NEW.parent_id IS NOT NULL)
        OR NEW.parent_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM lots WHERE id = NEW.parent_id AND account_id = NEW.account_id);
    SELECT RAISE(ABORT, 'a lot''s instants are written like 2026-03-02T09:30:00.000000Z')
    WHERE strftime('%Y-%m-%dT%H:%M:%S', substr(NEW.usable_from, 1, 19), '+0 seconds') IS NOT substr(NEW.usable_from, 1, 19) OR substr(NEW.usable_from, 20) NOT GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z' OR strftime('%Y-%m-%dT%H:%M:%S', substr(NEW.expires_at, 1, 19), '+0 seconds') IS NOT substr(NEW.expires_at, 1, 19) OR substr(NEW.expires_at, 20) NOT GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z';
END;
CREATE TRIGGER guard_lot_update BEFORE UPDATE ON lots
BEGIN
    SELECT RAISE(ABORT, 'of a lot only the remaining points ever change')
    WHERE NEW.id IS NOT OLD.id OR NEW.account_id IS NOT OLD.account_id
        OR NEW.kind IS NOT OLD.kind OR NEW.points IS NOT OLD.points
        OR NEW.purchased_on IS NOT OLD.purchased_on OR NEW.usable_from IS NOT OLD.usable_from
        OR NEW.expires_at IS NOT OLD.expires_at OR NEW.source IS NOT OLD.source
        OR NEW.reference IS NOT OLD.reference OR NEW.parent_id IS NOT OLD.parent_id;
    SELECT RAISE(ABORT, 'the remaining points are the sum of the lot''s entries: book an entry')
    WHERE NEW.remaining IS NOT
        (SELECT coalesce(sum(delta), 0) FROM entries WHERE lot_id = NEW.id);
END;
CREATE TRIGGER guard_lot_delete BEFORE DELETE ON lots
BEGIN
    SELECT RAISE(ABORT, 'a lot is never deleted')
    WHERE TRUE;
END;
CREATE TRIGGER guard_incident_insert BEFORE INSERT ON incidents
BEGIN
    SELECT RAISE(ABORT, 'there is such an incident already, and it is never replaced')
    WHERE EXISTS (SELECT 1 FROM incidents WHERE id = NEW.id)
        OR EXISTS (SELECT 1 FROM incidents WHERE helpdesk = NEW.helpdesk
                   AND ticket_id = NEW.ticket_id AND number = NEW.number);
END;
CREATE TRIGGER guard_incident_update BEFORE UPDATE ON incidents
BEGIN
    SELECT RAISE(ABORT, 'an incident keeps its id and its ticket')
    WHERE NEW.id IS NOT OLD.id OR NEW.helpdesk IS NOT OLD.helpdesk
        OR NEW.ticket_id IS NOT OLD.ticket_id OR NEW.number IS NOT OLD.number;
    SELECT RAISE(ABORT, 'an incident that was charged keeps its account')
    WHERE NEW.account_id IS NOT OLD.account_id
        AND EXISTS (SELECT 1 FROM txs WHERE incident_id = OLD.id);
END;
CREATE TRIGGER guard_incident_delete BEFORE DELETE ON incidents
BEGIN
    SELECT RAISE(ABORT, 'an incident with bookings or decisions is never deleted')
    WHERE EXISTS (SELECT 1 FROM txs WHERE incident_id = OLD.id)
        OR EXISTS (SELECT 1 FROM decisions WHERE incident_id = OLD.id);
END;
CREATE TRIGGER guard_tx_insert BEFORE INSERT ON txs
BEGIN
    SELECT RAISE(ABORT, 'there is such a transaction already, and it is never replaced')
    WHERE EXISTS (SELECT 1 FROM txs WHERE id = NEW.id)
        OR EXISTS (SELECT 1 FROM txs WHERE dedupe_key = NEW.dedupe_key);
    SELECT RAISE(ABORT, 'that incident is charged already')
    WHERE NEW.kind = 'charge' AND EXISTS
        (SELECT 1 FROM txs WHERE incident_id = NEW.incident_id AND kind = 'charge');
    SELECT RAISE(ABORT, 'a transaction needs points above 0')
    WHERE coalesce(NEW.points, 0) <= 0;
    SELECT RAISE(ABORT, 'a transaction needs its account')
    WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = NEW.account_id);
    SELECT RAISE(ABORT, 'a charge is of an incident of the same account')
    WHERE NEW.kind = 'charge' AND NOT EXISTS
        (SELECT 1 FROM incidents WHERE id = NEW.incident_id AND account_id = NEW.account_id);
    SELECT RAISE(ABORT, 'a transaction names an incident that exists, or none')
    WHERE NEW.incident_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM incidents WHERE id = NEW.incident_id);
    SELECT RAISE(ABORT, 'a credit reverses a charge of the same account')
    WHERE (NEW.kind = 'credit' OR NEW.reverses_id IS NOT NULL) AND NOT EXISTS
        (SELECT 1 FROM txs WHERE id = NEW.reverses_id AND kind = 'charge'
         AND account_id = NEW.account_id AND NEW.kind IN ('credit', 'refund'));
    SELECT RAISE(ABORT, 'credits and refunds of a charge together exceed what it took')
    WHERE NEW.reverses_id IS NOT NULL AND NEW.points
        + (SELECT coalesce(sum(points), 0) FROM txs WHERE reverses_id = NEW.reverses_id)
        > (SELECT coalesce(-sum(delta), 0) FROM entries WHERE tx_id = NEW.reverses_id);
    SELECT RAISE(ABORT, 'a transaction''s instants are written like 2026-03-02T09:30:00.000000Z')
    WHERE strftime('%Y-%m-%dT%H:%M:%S', substr(NEW.at, 1, 19), '+0 seconds') IS NOT substr(NEW.at, 1, 19) OR substr(NEW.at, 20) NOT GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z' OR strftime('%Y-%m-%dT%H:%M:%S', substr(NEW.valid_at, 1, 19), '+0 seconds') IS NOT substr(NEW.valid_at, 1, 19) OR substr(NEW.valid_at, 20) NOT GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z';
    SELECT RAISE(ABORT, 'a charge tests validity at most 72 hours back, any other booking at its own instant')
    WHERE NEW.valid_at > NEW.at OR NEW.valid_at <
        CASE NEW.kind WHEN 'charge'
        THEN strftime('%Y-%m-%dT%H:%M:%S', substr(NEW.at, 1, 19), '-72 hours')
             || substr(NEW.at, 20)
        ELSE NEW.at END;
END;
CREATE TRIGGER guard_tx_update BEFORE UPDATE ON txs
BEGIN
    SELECT RAISE(ABORT, 'a transaction is never changed')
    WHERE TRUE;
END;
CREATE TRIGGER guard_tx_delete BEFORE DELETE ON txs
BEGIN
    SELECT RAISE(ABORT, 'a transaction is never deleted')
    WHERE TRUE;
END;
CREATE TRIGGER guard_entry_insert BEFORE INSERT ON entries
BEGIN
    SELECT RAISE(ABORT, 'there is such an entry already, and it is never replaced')
    WHERE EXISTS (SELECT 1 FROM entries WHERE id = NEW.id)
        OR EXISTS (SELECT 1 FROM entries WHERE tx_id = NEW.tx_id AND lot_id = NEW.lot_id);
    SELECT RAISE(ABORT, 'an entry needs its transaction, of the same kind')
    WHERE NOT EXISTS (SELECT 1 FROM txs WHERE id = NEW.tx_id AND kind = NEW.kind);
    SELECT RAISE(ABORT, 'an entry needs a lot of its transaction''s account')
    WHERE NOT EXISTS (SELECT 1 FROM txs JOIN lots USING (account_id) JOIN accounts
        ON accounts.id = lots.account_id WHERE txs.id = NEW.tx_id AND lots.id = NEW.lot_id);
    SELECT RAISE(ABORT, 'purchases and credits add points; charges, refunds and expiries take them')
    WHERE CASE WHEN NEW.kind IN ('purchase', 'credit') THEN NEW.delta > 0
        WHEN NEW.kind IN ('charge', 'refund', 'expiry') THEN NEW.delta < 0
        WHEN NEW.kind = 'adjustment' THEN NEW.delta <> 0 END IS NOT TRUE;
    SELECT RAISE(ABORT, 'the entries of a transaction exceed its points')
    WHERE abs(NEW.delta) + (SELECT coalesce(sum(abs(delta)), 0) FROM entries
        WHERE tx_id = NEW.tx_id) > (SELECT points FROM txs WHERE id = NEW.tx_id);
    SELECT RAISE(ABORT, 'a lot cannot go below 0, nor above its points')
    WHERE (SELECT remaining + NEW.delta BETWEEN 0 AND points FROM lots
        WHERE id = NEW.lot_id) IS NOT TRUE;
    SELECT RAISE(ABORT, 'a purchase fills a new purchased lot, wholly and once')
    WHERE NEW.kind = 'purchase' AND (
        NOT EXISTS (SELECT 1 FROM lots WHERE id = NEW.lot_id AND kind = 'purchase'
                    AND points = NEW.delta)
        OR EXISTS (SELECT 1 FROM entries WHERE lot_id = NEW.lot_id));
    SELECT RAISE(ABORT, 'the lot cannot be spent at that instant: not yet usable, or expired')
    WHERE NEW.delta < 0 AND NEW.kind <> 'expiry' AND NOT EXISTS
        (SELECT 1 FROM txs JOIN lots ON lots.id = NEW.lot_id WHERE txs.id = NEW.tx_id
         AND lots.usable_from <= txs.valid_at AND txs.valid_at < lots.expires_at);
    SELECT RAISE(ABORT, 'points are not put into an expired lot')
    WHERE NEW.delta > 0 AND NEW.kind <> 'purchase' AND NOT EXISTS
        (SELECT 1 FROM txs JOIN lots ON lots.id = NEW.lot_id WHERE txs.id = NEW.tx_id
         AND txs.at < lots.expires_at);
    SELECT RAISE(ABORT, 'a credit returns to a lot that the charge drew on, or to a credit lot made from it')
    WHERE NEW.kind = 'credit' AND NOT EXISTS
        (SELECT 1 FROM txs JOIN entries charged ON charged.tx_id = txs.reverses_id
         JOIN lots ON lots.id = NEW.lot_id AND charged.lot_id IN (lots.id, lots.parent_id)
         WHERE txs.id = NEW.tx_id);
    SELECT RAISE(ABORT, 'an expiry takes what is left, and not before the lot has expired')
    WHERE NEW.kind = 'expiry' AND NOT EXISTS
        (SELECT 1 FROM txs JOIN lots ON lots.id = NEW.lot_id WHERE txs.id = NEW.tx_id
         AND lots.expires_at <= txs.at AND NEW.delta = -lots.remaining);
END;
CREATE TRIGGER apply_entry AFTER INSERT ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries are appended, never put in between')
    WHERE NEW.id < 1 OR NEW.id IS NOT (SELECT max(id) FROM entries);
    UPDATE lots SET remaining = remaining + NEW.delta WHERE id = NEW.lot_id;
    UPDATE accounts SET balance = balance + NEW.delta
    WHERE id = (SELECT account_id FROM lots WHERE id = NEW.lot_id);
END;
CREATE TRIGGER guard_entry_update BEFORE UPDATE ON entries
BEGIN
    SELECT RAISE(ABORT, 'an entry is never changed')
    WHERE TRUE;
END;
CREATE TRIGGER guard_entry_delete BEFORE DELETE ON entries
BEGIN
    SELECT RAISE(ABORT, 'an entry is never deleted')
    WHERE TRUE;
END;
CREATE TRIGGER guard_decision_insert BEFORE INSERT ON decisions
BEGIN
    SELECT RAISE(ABORT, 'there is such a decision already, and it is never replaced')
    WHERE EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id);
END;
CREATE TRIGGER guard_decision_update BEFORE UPDATE ON decisions
BEGIN
    SELECT RAISE(ABORT, 'a decision is never changed')
    WHERE TRUE;
END;
CREATE TRIGGER guard_decision_delete BEFORE DELETE ON decisions
BEGIN
    SELECT RAISE(ABORT, 'a decision is never deleted')
    WHERE TRUE;
END;
COMMIT;
