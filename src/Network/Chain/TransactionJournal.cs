using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Transactions;
using Microsoft.Data.Sqlite;

namespace FedChain.Network.Chain;

/// <summary>
/// Which nonce every intention was given, written down before the transaction leaves: an intention that is met again, after a restart or when a
/// reorganisation has undone it, is sent under the same nonce, and a chain takes one transaction of a nonce. In a SQLite file; used by one process.
/// </summary>
public sealed class TransactionJournal : IDisposable
{
    private const int Version = 1;
    private const ulong KeptNonces = 256; // more than a reorganisation brings back
    private const string Tables = """
        CREATE TABLE sent (
            chain INTEGER NOT NULL, account BLOB NOT NULL, nonce INTEGER NOT NULL, attempt INTEGER NOT NULL, intention TEXT NOT NULL, raw BLOB NOT NULL,
            PRIMARY KEY (chain, account, nonce, attempt));
        CREATE INDEX sent_intention ON sent (chain, account, intention);
        """;

    private readonly Lock _lock = new();
    private readonly SqliteConnection _database;

    private TransactionJournal(SqliteConnection database) => _database = database;

    /// <summary>Remembers as long as this lives.</summary>
    public static TransactionJournal InMemory()
    {
        var database = Sqlite.Connect(":memory:");
        database.Make(Tables, Version);
        return new TransactionJournal(database);
    }

    /// <summary>
    /// Opens the file or makes it. A damaged one is put aside with the ending <c>.damaged</c>: what it knew is then known from the chain alone, see
    /// <see cref="TransactionIntent.IsDone"/>.
    /// </summary>
    /// <param name="file">Its folder is made if need be.</param>
    /// <exception cref="ChainException">It can't be opened, as on a full disk.</exception>
    public static TransactionJournal Open(string file) => Guard(() =>
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        var isNew = !File.Exists(file);
        var database = Sqlite.Connect(file);
        try
        {
            if (!isNew && database.IsWhole(Version))
            {
                return new TransactionJournal(database);
            }
        }
        catch (SqliteException)
        {
            // put aside below
        }

        database.Dispose();
        if (!isNew)
        {
            File.Move(file, file + ".damaged", overwrite: true);
        }

        Sqlite.Delete(file);
        database = Sqlite.Connect(file);
        database.Make(Tables, Version);
        return new TransactionJournal(database);
    });

    /// <summary>What was sent for an intention under its latest nonce, the latest attempt last.</summary>
    internal List<SentTransaction> Of(ulong chain, Address account, string intention) => Query(
        "SELECT raw FROM sent WHERE chain = $1 AND account = $2 AND intention = $3 AND nonce = (SELECT max(nonce) FROM sent WHERE chain = $1 AND account = $2 AND intention = $3) ORDER BY attempt",
        (long)chain, account.ToArray(), intention);

    /// <summary>What was sent last under a nonce; null if nothing is known.</summary>
    internal SentTransaction? At(ulong chain, Address account, ulong nonce) => Query(
        "SELECT raw FROM sent WHERE chain = $1 AND account = $2 AND nonce = $3 ORDER BY attempt DESC LIMIT 1", (long)chain, account.ToArray(), (long)nonce).FirstOrDefault();

    /// <summary>The intention that a nonce was given to; null if nothing is known.</summary>
    internal string? NameAt(ulong chain, Address account, ulong nonce) => Guard(() =>
    {
        lock (_lock)
        {
            return (string?)_database.Scalar("SELECT intention FROM sent WHERE chain = $1 AND account = $2 AND nonce = $3 LIMIT 1", (long)chain, account.ToArray(), (long)nonce);
        }
    });

    /// <exception cref="ChainException">It can't be written.</exception>
    internal void Add(ulong chain, Address account, string intention, SentTransaction sent) => Change(
        """
        DELETE FROM sent WHERE chain = $1 AND account = $2 AND nonce < $6;
        INSERT INTO sent SELECT $1, $2, $3, 1 + coalesce(max(attempt), 0), $4, $5 FROM sent WHERE chain = $1 AND account = $2 AND nonce = $3
        """,
        (long)chain, account.ToArray(), (long)sent.Transaction.Nonce, intention, sent.Raw.ToArray(), (long)Math.Max(sent.Transaction.Nonce, KeptNonces) - (long)KeptNonces);

    /// <summary>Another transaction has the nonce, or it was used in vain: the intention may be given another one.</summary>
    internal void Forget(ulong chain, Address account, string intention) => Change(
        "DELETE FROM sent WHERE chain = $1 AND account = $2 AND intention = $3", (long)chain, account.ToArray(), intention);

    public void Dispose() => _database.Dispose();

    private List<SentTransaction> Query(string sql, params object[] values) => Guard(() =>
    {
        lock (_lock)
        {
            return _database.Read(sql, r => SentTransaction.Decode(r.GetFieldValue<byte[]>(0)), values);
        }
    });

    private void Change(string sql, params object[] values) => Guard(() =>
    {
        lock (_lock)
        {
            using var transaction = _database.BeginTransaction();
            _database.Execute(sql, values);
            transaction.Commit();
            return true;
        }
    });

    private static T Guard<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException or FormatException)
        {
            throw new ChainException($"The journal of transactions can't be used: {e.Message} Nothing is sent without it, lest it be sent twice. Check the disk, and who may write to the home.", e);
        }
    }
}

/// <summary>A transaction as it was signed.</summary>
internal sealed record SentTransaction(DynamicFeeTransaction Transaction, Hash256 Hash, ReadOnlyMemory<byte> Raw)
{
    public static SentTransaction Of(SignedTransaction signed) => new((DynamicFeeTransaction)signed.Transaction, signed.Hash, signed.Raw);

    /// <exception cref="FormatException">None that we sent.</exception>
    public static SentTransaction Decode(byte[] raw) =>
        SignedTransaction.Decode(raw) is { Transaction: DynamicFeeTransaction } signed ? Of(signed) : throw new FormatException("A transaction in it is not of type 2.");
}
