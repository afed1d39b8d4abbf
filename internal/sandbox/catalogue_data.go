package sandbox

// newCatalogue is the one catalogue of the sandbox. Names and prices are invented but
// for the providers', numbers are of the range 555-0100 to 555-0199, which nobody
// has.
func newCatalogue() *catalogue {
	return &catalogue{
		account: 100234,
		trunks: []trunk{
			{Number: 4165550100, Label: "Toronto HQ"},
			{Number: 5145550100, Label: "Montréal"},
			{Number: 6045550100, Label: "Vancouver contact centre"},
		},
		offerings: []offering{
			{
				OfferingID: "OFF-GENERAL", Type: typeGeneral,
				ProductName: localized{"Voice Mailbox", "Boîte vocale"},
			},
			{
				OfferingID: "OFF-CHILD", Type: typeGeneralChild,
				ProductName: localized{"Additional Conference Number", "Numéro de conférence additionnel"},
				PotentialParentSubscriptions: []subscription{
					{Name: "4165550101", SubscriptionID: "SUB-1001", ProductName: localized{"Conference Bridge", "Pont de conférence"}},
					{Name: "5145550101", SubscriptionID: "SUB-1002", ProductName: localized{"Conference Bridge", "Pont de conférence"}},
				},
			},
			{
				OfferingID: "OFF-CHILD-ALARM", Type: typeGeneralChild,
				ProductName: localized{"Alarm Line Number", "Numéro de ligne d'alarme"},
				PotentialParentSubscriptions: []subscription{
					{Name: "6045550101", SubscriptionID: "SUB-2001", ProductName: localized{"Alarm Service", "Service d'alarme"}},
				},
			},
			{
				OfferingID: "OFF-RESIDENTIAL", Type: typeResidentialLine,
				ProductName: localized{"Residential Line", "Ligne résidentielle"},
			},
			{
				OfferingID: "OFF-BUSINESS", Type: typeBusinessLine,
				ProductName: localized{"Business Line", "Ligne d'affaires"},
			},
			{
				OfferingID: "OFF-FORWARD", Type: typePermanentCallForward,
				ProductName: localized{"Permanent Call Forward", "Renvoi d'appel permanent"},
			},
			{
				OfferingID: "OFF-BUSINESS-FORWARD", Type: typeBusinessPermanentCallForward,
				ProductName: localized{"Business Permanent Call Forward", "Renvoi d'appel permanent d'affaires"},
			},
			{
				OfferingID: "OFF-FAX", Type: typeVirtualFax,
				ProductName: localized{"Virtual Fax", "Télécopieur virtuel"},
			},
		},
		providers: []provider{
			{ID: 1, Name: "Bell Canada"},
			{ID: 2, Name: "Rogers Communications"},
			{ID: 3, Name: "TELUS Communications"},
			{ID: 4, Name: "Videotron"},
			{ID: 5, Name: "Shaw Cablesystems"},
			{ID: 6, Name: "SaskTel"},
			{ID: 7, Name: "Eastlink"},
			{ID: 8, Name: "Fibernetics"},
		},
		groups: []businessGroup{
			{ID: "BG-TORONTO", Name: "Toronto HQ", subscription: "SUB-BG-9001"},
			{ID: "BG-MONTREAL", Name: "Montréal", subscription: "SUB-BG-9002"},
		},
		residentialPlans: []plan{
			{ID: "RES-BASIC", Account: 100234, Enabled: true, MonthlyPrice: 9.95, Name: "Residential Basic"},
			{ID: "RES-UNLIMITED", Account: 100234, Enabled: true, MonthlyPrice: 19.95, Name: "Residential Unlimited"},
			{ID: "RES-RETIRED", Account: 100234, Enabled: false, MonthlyPrice: 14.95, Name: "Residential 2010"},
		},
		businessPlans: []plan{
			{ID: "BUS-STANDARD", Account: 100234, Enabled: true, MonthlyPrice: 24.95, Name: "Business Standard"},
			{ID: "BUS-UNLIMITED", Account: 100234, Enabled: true, MonthlyPrice: 34.95, Name: "Business Unlimited"},
			{ID: "BUS-RETIRED", Account: 100234, Enabled: false, MonthlyPrice: 29.95, Name: "Business 2010"},
		},
		forwardPlans: []plan{
			{ID: "PCF-LOCAL", Account: 100234, Enabled: true, MonthlyPrice: 3.5, Name: "Forward Local"},
			{ID: "PCF-NATIONAL", Account: 100234, Enabled: true, MonthlyPrice: 5, Name: "Forward National"},
			{ID: "PCF-RETIRED", Account: 100234, Enabled: false, MonthlyPrice: 4, Name: "Forward 2010"},
		},
		// The exchange 555 of the area codes below. 867 (the territories) is left out,
		// so that there is a real area code which cannot be ported in.
		prefixes: []int64{
			204555, 226555, 236555, 250555, 289555, 306555, 343555, 365555, 403555, 416555, 418555, 431555,
			437555, 438555, 450555, 506555, 514555, 519555, 579555, 581555, 587555, 604555, 613555, 639555,
			647555, 705555, 709555, 778555, 780555, 807555, 819555, 825555, 873555, 902555, 905555,
		},
		rateCentres: []rateCentre{
			{Name: "Calgary", Country: "CA", LNP: true, Local: true, NetworkType: "Wireline", OnNet: true},
			{Name: "Halifax", Country: "CA", LNP: true, Local: true, NetworkType: "Wireline", OnNet: false},
			{Name: "Montréal", Country: "CA", LNP: true, Local: true, NetworkType: "Wireline", OnNet: true},
			{Name: "Ottawa-Hull", Country: "CA", LNP: true, Local: true, NetworkType: "Wireline", OnNet: true},
			{Name: "Regina", Country: "CA", LNP: true, Local: false, NetworkType: "Wireline", OnNet: false},
			{Name: "Toronto", Country: "CA", LNP: true, Local: true, NetworkType: "Wireline", OnNet: true},
			{Name: "Vancouver", Country: "CA", LNP: true, Local: true, NetworkType: "Wireline", OnNet: true},
			{Name: "Winnipeg", Country: "CA", LNP: true, Local: true, NetworkType: "Wireline", OnNet: true},
		},
	}
}
