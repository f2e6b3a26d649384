//! The tables of log, secrets and state in one shape, to be copied between the backends.

use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::{ToSql, Type};
use postgres::{Row, Transaction};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::Error;
use crate::state::{POSTGRES_SCHEMA, StateTable, sqlite_table};
use crate::{postgres_log, sqlite_log};

/// LIMIT: rows that an export holds at once; an act has at most 256 KiB, so these have 16 MiB.
const ROWS: i32 = 64;

/// A file of the SQLite form, which is also the form of every backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Log,
    Secrets,
    State,
}

impl Part {
    /// All parts, in the order in which a backup of a running SQLite node copies them: state, whose
    /// note of the last checkpoint must not be ahead of the log; the log; its secrets.
    pub const ALL: [Self; 3] = [Self::State, Self::Log, Self::Secrets];

    pub const fn file(self) -> &'static str {
        match self {
            Self::Log => "log.db",
            Self::Secrets => "secrets.db",
            Self::State => "state.db",
        }
    }

    /// The statements that make its tables in SQLite.
    pub fn schema(self) -> String {
        match self {
            Self::Log => sqlite_log::LOG_SCHEMA.to_owned(),
            Self::Secrets => sqlite_log::SECRETS_SCHEMA.to_owned(),
            Self::State => StateTable::ALL.map(sqlite_table).concat(),
        }
    }

    pub fn tables(self) -> Vec<Table> {
        match self {
            Self::Log => vec![head(), entry(), tile(), checkpoint(), receipt()],
            Self::Secrets => vec![secret()],
            Self::State => StateTable::ALL.map(state).into(),
        }
    }
}

/// A table of both backends. SQLite packs the first two columns of some into one, their place.
pub(crate) struct Table {
    schema: &'static str,
    name: &'static str,
    columns: Vec<(&'static str, Type)>,
    placed: Placed,
    /// How many columns make the key.
    key: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Placed {
    Yes,
    No,
}

fn head() -> Table {
    let columns = vec![
        ("log", Type::INT4),
        ("epoch", Type::INT8),
        ("size", Type::INT8),
        ("root", Type::BYTEA),
        ("frontier", Type::BYTEA),
        ("note", Type::BYTEA),
    ];
    Table { schema: postgres_log::LOG, name: "head", columns, placed: Placed::No, key: 1 }
}

fn entry() -> Table {
    let columns = vec![
        ("log", Type::INT4),
        ("sequence", Type::INT8),
        ("leaf", Type::BYTEA),
        ("header", Type::BYTEA),
        ("commitments", Type::BYTEA),
        ("portions", Type::BYTEA),
        ("signature", Type::BYTEA),
    ];
    Table { schema: postgres_log::LOG, name: "entry", columns, placed: Placed::Yes, key: 2 }
}

fn tile() -> Table {
    let columns = vec![
        ("log", Type::INT4),
        ("level", Type::INT4),
        ("number", Type::INT8),
        ("hashes", Type::BYTEA),
    ];
    Table { schema: postgres_log::LOG, name: "tile", columns, placed: Placed::No, key: 3 }
}

fn checkpoint() -> Table {
    let columns = vec![("log", Type::INT4), ("size", Type::INT8), ("note", Type::BYTEA)];
    Table { schema: postgres_log::LOG, name: "checkpoint", columns, placed: Placed::Yes, key: 2 }
}

fn receipt() -> Table {
    let columns = vec![
        ("key", Type::BYTEA),
        ("command", Type::BYTEA),
        ("sequence", Type::INT8),
        ("entries", Type::INT8),
        ("at", Type::INT8),
    ];
    Table { schema: postgres_log::LOG, name: "receipt", columns, placed: Placed::No, key: 1 }
}

fn secret() -> Table {
    let columns = vec![
        ("log", Type::INT4),
        ("sequence", Type::INT8),
        ("week", Type::INT8),
        ("wrapped", Type::BYTEA),
    ];
    Table { schema: postgres_log::SECRET, name: "secret", columns, placed: Placed::Yes, key: 2 }
}

fn state(table: StateTable) -> Table {
    let columns = vec![("key", Type::BYTEA), ("value", Type::BYTEA), ("expires_at", Type::INT8)];
    let name = table.name();
    Table { schema: POSTGRES_SCHEMA, name, columns, placed: Placed::No, key: 1 }
}

impl Table {
    fn names(&self, skip: usize) -> Vec<&'static str> {
        self.columns.iter().skip(skip).map(|(name, _)| *name).collect()
    }

    fn sqlite_select(&self) -> String {
        let key: Vec<&str> = self.names(0).into_iter().take(self.key).collect();
        match self.placed {
            Placed::No => {
                let (names, key) = (self.names(0).join(", "), key.join(", "));
                format!("SELECT {names} FROM {} ORDER BY {key}", self.name)
            }
            Placed::Yes => {
                let names = self.names(2).join(", ");
                format!(
                    "SELECT place >> 56, place & 0xffffffffffffff, {names} FROM {} ORDER BY place",
                    self.name
                )
            }
        }
    }

    fn sqlite_insert(&self) -> String {
        let values = |from: usize| -> String {
            (from..=self.columns.len()).map(|i| format!("?{i}")).collect::<Vec<_>>().join(", ")
        };
        match self.placed {
            Placed::No => {
                let names = self.names(0).join(", ");
                format!("INSERT INTO {} ({names}) VALUES ({})", self.name, values(1))
            }
            Placed::Yes => {
                let names = self.names(2).join(", ");
                format!(
                    "INSERT INTO {} (place, {names}) VALUES ((?1 << 56) | ?2, {})",
                    self.name,
                    values(3)
                )
            }
        }
    }

    fn postgres_select(&self) -> String {
        let key: Vec<&str> = self.names(0).into_iter().take(self.key).collect();
        let (names, key) = (self.names(0).join(", "), key.join(", "));
        format!("SELECT {names} FROM {}.{} ORDER BY {key}", self.schema, self.name)
    }

    fn postgres_copy(&self) -> String {
        let names = self.names(0).join(", ");
        format!("COPY {}.{} ({names}) FROM STDIN BINARY", self.schema, self.name)
    }

    /// Copies every row out of PostgreSQL, as the transaction sees them.
    pub fn export(&self, from: &mut Transaction<'_>, to: &Connection) -> Result<(), Error> {
        let (read, write) = ("read a table", "write a table");
        let portal = from.bind(&self.postgres_select(), &[]).map_err(Error::postgres(read))?;
        let mut insert = to.prepare(&self.sqlite_insert()).map_err(Error::sqlite(write))?;
        loop {
            let rows = from.query_portal(&portal, ROWS).map_err(Error::postgres(read))?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                let cells = self.cells(row).map_err(Error::postgres(read))?;
                insert.execute(params_from_iter(cells)).map_err(Error::sqlite(write))?;
            }
        }
    }

    fn cells(&self, row: &Row) -> Result<Vec<Cell>, postgres::Error> {
        let cell = |(i, (_, kind)): (usize, &(&str, Type))| {
            if *kind == Type::INT4 {
                return row.try_get::<_, i32>(i).map(|n| Cell::Number(i64::from(n)));
            }
            if *kind == Type::INT8 {
                return row.try_get::<_, i64>(i).map(Cell::Number);
            }
            row.try_get::<_, Option<Vec<u8>>>(i)
                .map(|bytes| bytes.map_or(Cell::Absent, Cell::Bytes))
        };
        self.columns.iter().enumerate().map(cell).collect()
    }

    /// Copies every row into PostgreSQL.
    pub fn import(&self, from: &Connection, to: &mut Transaction<'_>) -> Result<(), Error> {
        let (read, write) = ("read a table", "write a table");
        let types: Vec<Type> = self.columns.iter().map(|(_, kind)| kind.clone()).collect();
        let copy = to.copy_in(&self.postgres_copy()).map_err(Error::postgres(write))?;
        let mut copy = BinaryCopyInWriter::new(copy, &types);
        let mut select = from.prepare(&self.sqlite_select()).map_err(Error::sqlite(read))?;
        let mut rows = select.query([]).map_err(Error::sqlite(read))?;
        while let Some(row) = rows.next().map_err(Error::sqlite(read))? {
            let cell = |(i, kind)| row.get_ref(i).map(|value| Cell::from(value).bind(kind));
            let cells: rusqlite::Result<Vec<_>> = types.iter().enumerate().map(cell).collect();
            let cells = cells.map_err(Error::sqlite(read))?;
            let cells: Vec<&(dyn ToSql + Sync)> = cells.iter().map(AsRef::as_ref).collect();
            copy.write(&cells).map_err(Error::postgres(write))?;
        }
        copy.finish().map(drop).map_err(Error::postgres(write))
    }
}

/// A value of a column.
#[derive(Debug)]
enum Cell {
    Number(i64),
    Bytes(Vec<u8>),
    Absent,
}

impl Cell {
    fn bind(self, kind: &Type) -> Box<dyn ToSql + Sync> {
        match self {
            Self::Number(number) if *kind == Type::INT4 => {
                Box::new(i32::try_from(number).unwrap_or(i32::MAX))
            }
            Self::Number(number) => Box::new(number),
            Self::Bytes(bytes) => Box::new(bytes),
            Self::Absent => Box::new(None::<Vec<u8>>),
        }
    }
}

impl From<ValueRef<'_>> for Cell {
    /// The tables are strict, so that there are no reals and no texts in them.
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Integer(number) => Self::Number(number),
            ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Self::Bytes(bytes.to_vec()),
            ValueRef::Null | ValueRef::Real(_) => Self::Absent,
        }
    }
}

impl rusqlite::ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Absent => ValueRef::Null,
        }))
    }
}
