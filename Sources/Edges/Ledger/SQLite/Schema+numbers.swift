/// The 33rd migration: mailings of two ledgers have no number in common, so that a link that was signed for one is nobody's in the other,
/// though both have the same keys.
extension Schema {
    /// The first number is one by chance, and leaves room for 200 million behind it. Smaller ones are of ledgers from before.
    static let numbers = """
        DROP TRIGGER mailing_numbered;
        CREATE TRIGGER mailing_numbered AFTER INSERT ON mailing WHEN NEW.number IS NULL BEGIN
            UPDATE mailing SET number = (
                SELECT CASE WHEN coalesce(max(number), 0) > 1000000 THEN max(number) + 1
                    ELSE 1000001 + abs(random() % 1900000000) END FROM mailing)
            WHERE id = NEW.id;
        END;
        """
}
