using FedChain.Protocol;
using Microsoft.Data.Sqlite;

namespace FedChain.Network.Chain;

/// <summary>A log of the federation's, and the block from which on it counts: its own, or that of the event that named its contract.</summary>
internal readonly record struct IndexedLog(ulong Since, ChainLog Log);

/// <summary>
/// What has been read of a federation's log, kept in a SQLite file so that a start need not read it again. A copy and no more: it is made anew if it is
/// missing, damaged, or of another federation, and done without if it can't be written. One process writes it; the others begin with a copy in memory.
/// </summary>
public sealed class EventIndex : IDisposable
{
    private const int Version = 2; // of the tables; another one's are dropped
    private const string Tables = """
        CREATE TABLE origin (chain INTEGER NOT NULL, membership BLOB NOT NULL, reached INTEGER NOT NULL);
        CREATE TABLE block (number INTEGER PRIMARY KEY, hash BLOB NOT NULL);
        CREATE TABLE log (
            place INTEGER PRIMARY KEY, since INTEGER NOT NULL, block INTEGER NOT NULL, at INTEGER NOT NULL,
            hash BLOB NOT NULL, tx BLOB NOT NULL, emitter BLOB NOT NULL, topics BLOB NOT NULL, data BLOB NOT NULL);
        CREATE INDEX log_since ON log (since);
        """;

    private readonly FileStream? _owned;
    private SqliteConnection? _database; // null when there is, or can be, none

    private EventIndex(SqliteConnection? database, FileStream? owned) => (_database, _owned) = (database, owned);

    /// <summary>Why nothing is kept; null if all is well, or nothing was to be kept.</summary>
    public string? Fault { get; private set; }

    /// <summary>The highest block that was ever read, also where the chain went back since, and nothing above it is kept; 0 where nothing was.</summary>
    public ulong Reached => Read("SELECT reached FROM origin", r => (ulong)r.GetInt64(0)).FirstOrDefault();

    /// <summary>Keeps nothing.</summary>
    public static EventIndex None() => new(null, null);

    /// <summary>Opens the file or makes it.</summary>
    /// <param name="file">Its folder is made if need be; beside it lies a lock.</param>
    /// <param name="chainId">The federation's chain.</param>
    /// <param name="membership">The federation's one address.</param>
    public static EventIndex Open(string file, ulong chainId, Address membership)
    {
        FileStream? owned = null;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
            owned = new FileStream(file + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // another process writes it, or nobody can
        }

        try
        {
            return new EventIndex(owned is null ? CopyOf(file, chainId, membership) : OpenOwn(file, chainId, membership), owned);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            return new EventIndex(null, owned) { Fault = e.Message };
        }
    }

    /// <summary>The blocks read, oldest first: those that have logs, and the latest.</summary>
    internal List<ChainCursor> ReadBlocks(int most)
    {
        var blocks = Read("SELECT number, hash FROM block ORDER BY number DESC LIMIT $1", r => new ChainCursor((ulong)r.GetInt64(0), new Hash256(r.GetFieldValue<byte[]>(1))), most);
        blocks.Reverse();
        return blocks;
    }

    /// <summary>All logs, in the order in which they count.</summary>
    internal List<IndexedLog> ReadLogs() => Read("SELECT since, block, at, hash, tx, emitter, topics, data FROM log ORDER BY place", r => new IndexedLog(
        (ulong)r.GetInt64(0),
        new ChainLog(
            new Address(r.GetFieldValue<byte[]>(5)), [.. r.GetFieldValue<byte[]>(6).Chunk(Hash256.Size).Select(t => new Hash256(t))], r.GetFieldValue<byte[]>(7),
            (ulong)r.GetInt64(1), new Hash256(r.GetFieldValue<byte[]>(3)), new Hash256(r.GetFieldValue<byte[]>(4)), (uint)r.GetInt64(2))));

    internal void Append(IEnumerable<ChainCursor> blocks, IEnumerable<IndexedLog> logs) => Write(database =>
    {
        foreach (var block in blocks)
        {
            database.Execute("INSERT OR REPLACE INTO block VALUES ($1, $2)", (long)block.Block, block.Hash.ToArray());
            database.Execute("UPDATE origin SET reached = max(reached, $1)", (long)block.Block);
        }

        foreach (var (since, log) in logs)
        {
            database.Execute(
                "INSERT INTO log (since, block, at, hash, tx, emitter, topics, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                (long)since, (long)log.Block, (long)log.LogIndex, log.BlockHash.ToArray(), log.Transaction.ToArray(), log.Emitter.ToArray(),
                log.Topics.SelectMany(t => t.ToArray()).ToArray(), log.Data.ToArray());
        }
    });

    /// <summary>Forgets all that came after a block.</summary>
    internal void Rewind(ulong block) => Write(database =>
    {
        database.Execute("DELETE FROM block WHERE number > $1", (long)block);
        database.Execute("DELETE FROM log WHERE since > $1", (long)block);
    });

    /// <summary>Forgets everything.</summary>
    internal void Clear() => Write(database =>
    {
        database.Execute("DELETE FROM block");
        database.Execute("DELETE FROM log");
        database.Execute("UPDATE origin SET reached = 0");
    });

    public void Dispose()
    {
        _database?.Dispose();
        _owned?.Dispose();
    }

    private static SqliteConnection OpenOwn(string file, ulong chainId, Address membership)
    {
        var database = Sqlite.Connect(file);
        try
        {
            if (IsOf(database, chainId, membership))
            {
                return database;
            }
        }
        catch (SqliteException)
        {
            // no database, or a damaged one
        }

        database.Dispose();
        Sqlite.Delete(file);
        database = Sqlite.Connect(file);
        database.Make(Tables, Version);
        database.Execute("INSERT INTO origin VALUES ($1, $2, 0)", (long)chainId, membership.ToArray());
        return database;
    }

    private static SqliteConnection? CopyOf(string file, ulong chainId, Address membership)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        using var source = Sqlite.Connect(file);
        var copy = Sqlite.Connect(":memory:");
        source.BackupDatabase(copy);
        if (IsOf(copy, chainId, membership))
        {
            return copy;
        }

        copy.Dispose();
        return null;
    }

    private static bool IsOf(SqliteConnection database, ulong chainId, Address membership) =>
        database.IsWhole(Version)
        && Equals(database.Scalar("SELECT count(*) FROM origin WHERE chain = $1 AND membership = $2", (long)chainId, membership.ToArray()), 1L);

    private List<T> Read<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object> values) => _database?.Read(sql, read, values) ?? [];

    /// <summary>All of it or nothing. What can't be written, on a full disk say, is read from the chain again at the next start.</summary>
    private void Write(Action<SqliteConnection> change)
    {
        if (_database is null)
        {
            return;
        }

        try
        {
            using var transaction = _database.BeginTransaction();
            change(_database);
            Crash.At(CrashPoint.LogIndexing);
            transaction.Commit();
            Crash.At(CrashPoint.LogIndexed);
        }
        catch (SqliteException e)
        {
            Fault = e.Message;
            _database.Dispose();
            _database = null;
        }
    }
}
