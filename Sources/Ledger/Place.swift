import GRDB
enum LedgerPlace {}
