/// The 44th migration: as `Schema.rounds` has it.
extension PostgreSQLSchema {
    static let rounds = """
        CREATE TABLE mailing_round (
            mailing word, number bigint, at bigint NOT NULL, actor word NOT NULL, reasons word NOT NULL, recipients bigint NOT NULL,
            states word, PRIMARY KEY (mailing, number));
        CREATE TABLE retried (
            mailing word, batch bigint, idx integer, round bigint, at bigint NOT NULL, dispatch bigint NOT NULL, state word NOT NULL,
            bounced smallint NOT NULL, PRIMARY KEY (mailing, batch, idx, round));
        """
}
