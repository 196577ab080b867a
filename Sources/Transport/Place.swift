enum TransportPlace {}
