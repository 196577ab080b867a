/// Messages that others signed: Amazon's form, by PyPI's `cryptography` 48.0 with the key of a certificate that it made.
enum SignedMessages {
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIICsTCCAZmgAwIBAgIBBzANBgkqhkiG9w0BAQsFADAcMRowGAYDVQQDDBFzbnMu
        YW1hem9uYXdzLmNvbTAeFw0yNjAxMDEwMDAwMDBaFw0zNjAxMDEwMDAwMDBaMBwx
        GjAYBgNVBAMMEXNucy5hbWF6b25hd3MuY29tMIIBIjANBgkqhkiG9w0BAQEFAAOC
        AQ8AMIIBCgKCAQEAsUI8ju3QfMPYwLAncBQEfvbOsJG3VXBIyblbM/YdF4W5UA26
        VxK+HJhMfUe0NRERoZfUwNjQFagb9vPJQDkXO0FkEyKjZeG2kCz3WE7MlZWmbYgU
        WNIpXq3Yq9h+vaEVWstZuvuixoBdQcQtWcvV21Tmi1GZ32Zrk8jgONLnANTIyrQ0
        RCQcir4/9AyeGrxgd1y8UEzDHl6OpbfUM0F2kBXPvpF/stRA7ybN2VHsmyLTnGN/
        Ge4QLTJZqPVQyl3MjEtQuIgjGULmYHw2eCtMYPsntRwNSRR8xtmqJKhSWgfmGGB0
        cqvYSk8F0wAkecLeChTxX64Qdaazmpx0bRh8oQIDAQABMA0GCSqGSIb3DQEBCwUA
        A4IBAQCmQ91vxUs05KgytHrAHPI7M2CrId+q6iMZLzW3fADhk1jZn+KboMlO+a34
        LHkbmB/mfkadOOwCuoGLQzr5sQjFOOkaX7Vz8CFfb2N733yFCvE7u09lWtGdGIHR
        4xDRc56h2OlIVZhnBXOpcVcpIHZEZ/GRetQVfIJO7Ey3Xh9CHx1GgYOjtMmYgYXm
        fsmT0gE0fQ9ShL7Ku7CT7wMv5CElM/Ft7ITJ/i9WjYSmrIRYfbdeapn4HrvRn9KE
        kcJZIFxccxpku63NzgnxiTlqvQcOTQ/PB+QrT8bSmtbAFG29OZmimtASPXzjR/vE
        4TMTZOlMV2KOsbqs0D0AvG9DuEi7
        -----END CERTIFICATE-----
        """

    static let version1 = #"""
        {"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": "arn:aws:sns:us-west-2:12345\#
        6789012:ses", "Subject": "Amazon SES Email Event Notification", "Message": "{\"eventType\": \"Bounce\", \"bounce\": {\\#
        "bounceType\": \"Permanent\", \"bouncedRecipients\": [{\"emailAddress\": \"recipient@example.com\", \"diagnosticCode\"\#
        : \"smtp; 550 5.1.1 user unknown\"}], \"timestamp\": \"2026-11-30T10:00:00.123Z\"}, \"mail\": {\"timestamp\": \"2026-1\#
        1-30T09:59:58.000Z\", \"messageId\": \"EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000\", \"destination\"\#
        : [\"recipient@example.com\"], \"commonHeaders\": {\"messageId\": \"<m1.2.3@news.example.com>\"}}}\n", "Timestamp": "2\#
        026-11-30T10:00:01.000Z", "SignatureVersion": "1", "Signature": "LsiDqEX1X7X/OxTVTwWGIX3IqnFAhrmbBYSWu7CwLunfIuy/AaR0D\#
        ETRsbUuEjubWAVd8uFES1h9FeagR6yISn2PGLOhIxMM+YefTT6+gk5Xz6Z5sVjgkFyx9NlE5z9Qyak5xQ/HpgdI6kzwfocLEd81db4WByMM4p8mVgugbt/\#
        TSzaLVRhmIjdqWYwcyA+X8E/RjXBES675C5xVK1oXQ4ICAlsb+qjcFVuxrfFrIyGfwMfnCSnevp/zuCuTXwPoEKUevfetTxJ7rrL7Cn2rZXakMwNGNE0Ub\#
        8rdw87wlNAkO/rqJur+9xGuon3shcdMMWQuzYccogPoO+SAE8vfPg==", "SigningCertURL": "https://sns.us-west-2.amazonaws.com/Simpl\#
        eNotificationService-56e67fcb41f6fec09b0196692625d385.pem"}
        """#

    static let version2 = #"""
        {"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": "arn:aws:sns:us-west-2:12345\#
        6789012:ses", "Subject": "Amazon SES Email Event Notification", "Message": "{\"eventType\": \"Bounce\", \"bounce\": {\\#
        "bounceType\": \"Permanent\", \"bouncedRecipients\": [{\"emailAddress\": \"recipient@example.com\", \"diagnosticCode\"\#
        : \"smtp; 550 5.1.1 user unknown\"}], \"timestamp\": \"2026-11-30T10:00:00.123Z\"}, \"mail\": {\"timestamp\": \"2026-1\#
        1-30T09:59:58.000Z\", \"messageId\": \"EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000\", \"destination\"\#
        : [\"recipient@example.com\"], \"commonHeaders\": {\"messageId\": \"<m1.2.3@news.example.com>\"}}}\n", "Timestamp": "2\#
        026-11-30T10:00:01.000Z", "SignatureVersion": "2", "Signature": "YEE840DP0keT5BaAV+83pSInztB6USV0UihPSzlz8j9UGy775+eIc\#
        Gl6VYeCrPQzZYoxFEjYTZi0oKtKJU7WV/8GEpsCqRTjSivL2qm2T2W3H11g7KBuIczpiirg/j+Qcr3Xvz79li3LVlN2/MQHfr9pJ4u5OfjvSenC4DwYPZt\#
        iEdqSKIASja+6imAwicGZf4N8ohBTifx05d46p0on5aG+9bN1QhAJMyZm6Ub+QnWE0wx8z++UDkHXsuHyTKBMhXT1JpVHC5gWoKGUQuzH9PQM+Ln5je+yL\#
        gc6CUzmipn72yfNnHI3hdkyo0vC0TZHKLEpGN/3W8DyORz9gQ1BQQ==", "SigningCertURL": "https://sns.us-west-2.amazonaws.com/Simpl\#
        eNotificationService-56e67fcb41f6fec09b0196692625d385.pem"}
        """#
}
