"""The trace file's schema: a literal, with a comment per column and a line per version.

Version 1: first.
Version 2 (0.1.0): effect, reads, context, reach, total, call.context_id.
"""

import re

APPLICATION_ID = 0x70746631  # "ptf1", so that `file` and we know our own
VERSION = 2

SCHEMA = """
CREATE TABLE run (                 -- one `perftrace run`
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,       -- makes ingesting the same run twice harmless
  command TEXT NOT NULL,           -- JSON list, as typed after perftrace's own options
  form TEXT NOT NULL,              -- script, module or command
  cwd TEXT NOT NULL,
  root TEXT NOT NULL,              -- user code lies under this folder
  python TEXT NOT NULL,            -- path of the interpreter
  python_version TEXT NOT NULL,
  started TEXT NOT NULL,           -- ISO 8601, UTC
  wall_s REAL NOT NULL,
  cpu_s REAL NOT NULL,             -- of the program and its children
  exit_code INTEGER NOT NULL,      -- negative: ended by that signal
  sampler TEXT NOT NULL,           -- py-spy, timing or none
  interval_s REAL NOT NULL,        -- between samples
  samples INTEGER NOT NULL,
  sampler_note TEXT NOT NULL,      -- why it is not py-spy, or empty
  overhead REAL NOT NULL,          -- share of CPU time the recorder was allowed
  version TEXT NOT NULL            -- of perftrace
);
CREATE TABLE process (             -- a traced process of a run
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run(id),
  pid INTEGER NOT NULL,
  parent_pid INTEGER NOT NULL,
  arguments TEXT NOT NULL,         -- JSON list, sys.argv
  path TEXT NOT NULL,              -- JSON list, sys.path
  main_file TEXT,                  -- of __main__
  main_module TEXT,                -- for python -m
  cpu_ns INTEGER,                  -- of the process; NULL: it ended without a word
  recorder_ns INTEGER              -- of that, spent by the recorder
);
CREATE TABLE source (              -- the text of each user file when it was recorded
  id INTEGER PRIMARY KEY,
  file TEXT NOT NULL,              -- absolute path
  sha256 TEXT NOT NULL,
  text BLOB NOT NULL,
  UNIQUE (file, sha256)
);
CREATE TABLE function (            -- identity: file + qualified name + first line
  id INTEGER PRIMARY KEY,
  file TEXT NOT NULL,
  qualname TEXT NOT NULL,
  line INTEGER NOT NULL,           -- of the first decorator, where there is one
  module TEXT NOT NULL,            -- name it was imported by
  kind TEXT NOT NULL,              -- function, generator, coroutine or async generator
  parameters TEXT NOT NULL,        -- JSON: [[name, binding], …]; arguments are in this order
  source_id INTEGER REFERENCES source(id),
  UNIQUE (file, qualname, line)
);
CREATE TABLE value (               -- each distinct value once
  digest BLOB PRIMARY KEY,         -- blake2b-16 of the bytes, keyed by this user's key
  size INTEGER NOT NULL,           -- bytes before compression
  opaque INTEGER NOT NULL,         -- parts that could not be recorded
  codec TEXT NOT NULL,             -- raw or zstd
  data BLOB NOT NULL               -- see docs/values.md
) WITHOUT ROWID;
CREATE TABLE call (                -- a recorded call
  id INTEGER PRIMARY KEY,
  process_id INTEGER NOT NULL REFERENCES process(id),
  function_id INTEGER NOT NULL REFERENCES function(id),
  caller_id INTEGER REFERENCES function(id), -- nearest user function below it
  thread INTEGER NOT NULL,
  arguments BLOB REFERENCES value(digest),   -- NULL: see missing
  missing TEXT,                    -- why the arguments were not recorded
  ending TEXT NOT NULL,            -- returned, raised, yielded or unknown
  result BLOB REFERENCES value(digest),
  result_missing TEXT,             -- why the outcome was not recorded
  started_ns INTEGER NOT NULL,     -- monotonic clock of the process
  duration_ns INTEGER,             -- wall time less the recorder's; NULL: end not seen
  context_id INTEGER REFERENCES context(id)  -- the test that ran; NULL: none
);
CREATE INDEX call_function ON call (function_id);
CREATE INDEX call_caller ON call (caller_id, function_id);
CREATE TABLE effect (              -- what a recorded call did outside its values
  call_id INTEGER NOT NULL REFERENCES call(id),
  function_id INTEGER NOT NULL REFERENCES function(id), -- innermost user function that did it
  kind TEXT NOT NULL,              -- file read, file written, network, …: perftrace/effects.py
  detail TEXT NOT NULL,            -- path, address or name, where it was seen
  count INTEGER NOT NULL           -- how often it was seen, at most a few times
);
CREATE INDEX effect_call ON effect (call_id);
CREATE TABLE reads (               -- what a function may read beside its arguments
  function_id INTEGER NOT NULL REFERENCES function(id),
  kind TEXT NOT NULL,              -- clock, randomness, environment or process identity
  name TEXT NOT NULL,              -- by which its code reads it, such as time.time
  PRIMARY KEY (function_id, kind, name)
) WITHOUT ROWID;
CREATE TABLE context (             -- a test that ran while a run was recorded
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run(id),
  name TEXT NOT NULL,              -- pytest's node id, or unittest's id
  unwatched INTEGER NOT NULL,      -- functions whose start was not noted in it, to save time
  UNIQUE (run_id, name)
);
CREATE TABLE reach (               -- a function started while a test ran
  context_id INTEGER NOT NULL REFERENCES context(id),
  function_id INTEGER NOT NULL REFERENCES function(id),
  PRIMARY KEY (context_id, function_id)
) WITHOUT ROWID;
CREATE INDEX reach_function ON reach (function_id);
CREATE TABLE total (               -- the recorded calls of a function in a run, summed up
  run_id INTEGER NOT NULL REFERENCES run(id),
  function_id INTEGER NOT NULL REFERENCES function(id),
  calls INTEGER NOT NULL,
  whole INTEGER NOT NULL,          -- calls with all arguments and no effect that forbids a replay
  median_ns REAL,                  -- of the durations that were seen
  spent_ns INTEGER NOT NULL,       -- their sum
  PRIMARY KEY (run_id, function_id)
) WITHOUT ROWID;
CREATE TABLE missing (             -- what was not recorded, and why
  run_id INTEGER NOT NULL REFERENCES run(id),
  function_id INTEGER REFERENCES function(id),
  subject TEXT NOT NULL,           -- calls, values, functions, processes, …
  reason TEXT NOT NULL,
  count INTEGER NOT NULL
);
CREATE TABLE frame (               -- a line of a sampled stack
  id INTEGER PRIMARY KEY,
  file TEXT NOT NULL,
  qualname TEXT NOT NULL,
  line INTEGER NOT NULL,           -- first line of the function
  user INTEGER NOT NULL,           -- 1: the user's code
  UNIQUE (file, qualname, line)
);
CREATE TABLE stack (               -- a sampled stack and how often it was seen
  run_id INTEGER NOT NULL REFERENCES run(id),
  frames TEXT NOT NULL,            -- frame ids, outermost first, separated by spaces
  count INTEGER NOT NULL
);
CREATE TABLE decision (            -- what `perftrace optimize` found for a function
  id TEXT PRIMARY KEY,             -- what `perftrace apply` takes
  run_id INTEGER NOT NULL REFERENCES run(id),
  function_id INTEGER NOT NULL REFERENCES function(id),
  verdict TEXT NOT NULL,           -- accepted, rejected or inconclusive
  reason TEXT NOT NULL,
  engine TEXT NOT NULL,            -- empty when there was no candidate
  steps TEXT NOT NULL,             -- JSON list
  explanation TEXT NOT NULL,
  file TEXT NOT NULL,
  original TEXT NOT NULL,          -- whole file before the change
  source TEXT NOT NULL,            -- whole file with the change; empty when none
  document TEXT NOT NULL,          -- JSON: evidence, measurement, witness, everything tried
  created TEXT NOT NULL            -- ISO 8601, UTC
);
"""

TABLES = tuple(re.findall(r"^CREATE TABLE (\w+)", SCHEMA, re.MULTILINE))
