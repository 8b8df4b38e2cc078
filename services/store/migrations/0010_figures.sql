-- What has been spent and said, for the one it belongs to. Everything is
-- counted from rows that are there: what is deleted does not count.

-- Every call to the model: of turns from the ledger, of replies from before it as far as they were counted.
create view spendings as
select t.chat_id, a.prompt_tokens, a.cached_tokens, a.completion_tokens,
	coalesce(a.prompt_tokens, 0) + coalesce(a.completion_tokens, 0) as total_tokens, a.cost_nano, a.currency
from turns t join attempts a on a.turn_id = t.id
union all
select m.chat_id, m.prompt_tokens, m.cached_tokens, m.completion_tokens,
	coalesce(m.prompt_tokens + m.completion_tokens, m.tokens_used, 0), m.cost_nano, m.currency
from chat_messages m where m.turn_id is null and m.sender_type <> 'user';

-- Null when no price is known.
create function cost_json(p_nano numeric, p_currency text) returns json language sql immutable as $$
	select case when p_nano is not null then json_build_object('amount', (p_nano / 1000000000)::float8, 'currency', coalesce(p_currency, 'USD')) end
$$;

-- Of one chat, or of all chats of a session. Null: it does not exist or is not his.
create function usage_json(p_user uuid, p_session uuid, p_key text, p_chat uuid) returns json language sql stable as $$
	with session as (
		select s.id from chat_sessions s where p_chat is null and s.user_id = p_user and (s.id = p_session or s.client_key = p_key)),
	picked as (
		select c.id, coalesce(c.chat_type, 'planning') as chat_type, c.message_count from chat_rows c
		where c.user_id = p_user and (c.id = p_chat or c.session_id = (select id from session))),
	timed as (
		select sum(m.total_us) as us from picked p join chat_messages m on m.chat_id = p.id),
	spent as (
		select p.chat_type, sum(s.prompt_tokens) as prompt, sum(s.cached_tokens) as cached, sum(s.completion_tokens) as completion,
			sum(s.total_tokens) as total, sum(s.cost_nano) filter (where s.cost_nano >= 0) as nano, max(s.currency) as currency
		from picked p join spendings s on s.chat_id = p.id group by p.chat_type),
	types as (
		select p.chat_type, count(*) as chats, sum(p.message_count) as messages from picked p group by p.chat_type),
	rows as (
		select t.chat_type, t.chats, t.messages, coalesce(s.prompt, 0) as prompt, coalesce(s.cached, 0) as cached,
			coalesce(s.completion, 0) as completion, coalesce(s.total, 0) as total, s.nano, s.currency
		from types t left join spent s using (chat_type))
	select case when exists (select 1 from session) or exists (select 1 from picked) then json_build_object(
		'messages', coalesce(sum(r.messages), 0), 'prompt_tokens', coalesce(sum(r.prompt), 0), 'cached_tokens', coalesce(sum(r.cached), 0),
		'completion_tokens', coalesce(sum(r.completion), 0), 'total_tokens', coalesce(sum(r.total), 0),
		'cost', cost_json(sum(r.nano), max(r.currency)),
		'seconds', coalesce((select us from timed), 0)::float8 / 1000000,
		'by_type', coalesce(json_agg(json_build_object('chat_type', r.chat_type, 'chats', r.chats, 'messages', r.messages,
			'total_tokens', r.total, 'cost', cost_json(r.nano, r.currency)) order by r.chat_type) filter (where r.chat_type is not null), '[]'))
	end
	from rows r
$$;

-- All figures of one user (or guest) over all of his chats.
create function figures_json(p_user uuid) returns json language sql stable as $$
	with mine as (
		select c.id, c.session_id, coalesce(c.chat_type, 'planning') as chat_type, c.created_at, c.message_count
		from chat_rows c where c.user_id = p_user),
	said as (
		select c.id as chat_id, c.chat_type, c.created_at, m.id, m.sender_type = 'user' as by_user, coalesce(m.tokens_used, 0) as tokens,
			m.total_us, m."timestamp",
			case when m.message_type in ('welcome', 'finalization') then m.message_type else 'discussion' end as stage
		from mine c join chat_messages m on m.chat_id = c.id),
	replies as (select * from said where not by_user),
	-- A dialogue is finished when its plan was made into modules.
	finished as (
		select t.chat_id, min(t.finished_at) as at from turns t join mine c on c.id = t.chat_id
		where t.kind = 'finalize' and t.state = 'completed' group by t.chat_id),
	lengths as (
		select extract(epoch from f.at - min(s."timestamp")) as seconds from finished f join said s on s.chat_id = f.chat_id group by f.chat_id, f.at),
	returns as (
		select e.chat_id, f.at is null or e.created_at < f.at as unfinished
		from restore_events e join mine c on c.id = e.chat_id left join finished f on f.chat_id = e.chat_id where e.user_id = p_user),
	tracks as (
		select t.id, coalesce(nullif(t.skill_area, ''), t.title) as skill_area, t.status,
			exists (select 1 from course_modules m where m.track_id = t.id) as planned
		from learning_tracks t where t.user_id = p_user),
	spent as (
		select sum(s.total_tokens) as total, sum(s.cost_nano) filter (where s.cost_nano >= 0) as nano, max(s.currency) as currency
		from mine c join spendings s on s.chat_id = c.id)
	select json_build_object(
		'total', (select json_build_object('chats', (select count(*) from mine), 'messages', (select coalesce(sum(message_count), 0) from mine),
			'total_tokens', coalesce(total, 0), 'cost', cost_json(nano, currency)) from spent),
		'tokens_by_chat_type', (select coalesce(json_agg(x order by x.chat_type), '[]') from (
			select chat_type, count(distinct chat_id) as chats, count(*) as messages, sum(tokens) as total_tokens,
				round(avg(tokens), 1)::float8 as average_tokens
			from replies group by chat_type) x),
		'planning_activity', (select json_build_object('sessions', count(distinct c.session_id), 'chats', count(*),
			'messages', coalesce(sum(c.message_count), 0),
			'replies', (select count(*) from replies where chat_type = 'planning'),
			'total_tokens', (select coalesce(sum(tokens), 0) from replies where chat_type = 'planning'))
			from mine c where c.chat_type = 'planning'),
		'planning_by_day', (select coalesce(json_agg(x order by x.day desc), '[]') from (
			select to_char(created_at, 'YYYY-MM-DD') as day, count(distinct chat_id) as chats, count(*) as messages,
				sum(tokens) as total_tokens, round(avg(tokens), 1)::float8 as average_tokens
			from replies where chat_type = 'planning' and created_at is not null group by 1 order by 1 desc limit 366) x),
		'response_time_ms', (select coalesce(json_agg(x order by x.chat_type, x.stage), '[]') from (
			select chat_type, stage, count(*) as replies, round(avg(total_us) / 1000, 1)::float8 as average,
				(percentile_cont(0.5) within group (order by total_us) / 1000)::float8 as median,
				(percentile_cont(0.95) within group (order by total_us) / 1000)::float8 as p95
			from replies where total_us is not null group by chat_type, stage) x),
		'tokens_by_stage', (select coalesce(json_agg(x order by x.stage), '[]') from (
			select stage, count(*) as messages, sum(tokens) as total_tokens, round(avg(tokens), 1)::float8 as average_tokens
			from replies where chat_type = 'planning' group by stage) x),
		'dialogue_length', (select json_build_object('finished', count(*), 'average_seconds', avg(seconds)::float8,
			'median_seconds', percentile_cont(0.5) within group (order by seconds)) from lengths),
		'returns', (select json_build_object('restores', count(*), 'to_unfinished', count(*) filter (where unfinished),
			'unfinished_chats', count(distinct chat_id) filter (where unfinished)) from returns),
		'tracks', (select json_build_object('created', count(*), 'with_modules', count(*) filter (where planned),
			'completed', count(*) filter (where status = 'COMPLETED'),
			'finalizations', (select count(*) from turns t join mine c on c.id = t.chat_id where t.kind = 'finalize' and t.state = 'completed')) from tracks),
		'tracks_by_skill_area', (select coalesce(json_agg(x order by x.tracks desc, x.skill_area), '[]') from (
			select skill_area, count(*) as tracks, count(*) filter (where planned) as with_modules,
				round(avg(planned::integer::numeric), 3)::float8 as share
			from tracks group by skill_area order by count(*) desc, skill_area limit 100) x))
$$;
