enum CollectingPlace {}
