enum DeliveryPlace {}
