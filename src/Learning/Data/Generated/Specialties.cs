namespace FedChain.Learning.Data.Generated;

/// <summary>The specialties in the order in which institutions get them; the first four are the demo's.</summary>
internal static class Specialties
{
    public static IReadOnlyList<Specialty> All { get; } =
    [
        new("cardiology", 240, 45, 90,
            new Vocabulary(
                ["valm", "cord", "atri", "puls", "ventr", "aort"], ["ora", "ane", "iva", "ulo", "esta"], ["flutter", "block", "murmur"],
                ["left atrium", "right ventricle", "mitral valve", "septum", "aortic arch"],
                ["fluttering in the chest", "swollen ankles at night", "pressure behind the breastbone", "fainting on the stairs"],
                ["ring test", "strip recording", "treadmill test"], ["cardil", "pulsin", "rythmo"]),
            [Letters.Assessment, Letters.Treatment, Letters.Visit]),
        new("nephrology", 160, 30, 85,
            new Vocabulary(
                ["neph", "glom", "tubu", "ren", "pyel"], ["aria", "osine", "emal", "ithe", "uvan"], ["disease", "leak", "stasis"],
                ["renal cortex", "tubules", "glomeruli", "renal pelvis", "collecting duct"],
                ["foamy urine", "puffy eyelids", "flank pain", "night cramps"],
                ["filtrate count", "clearance test", "sediment test"], ["nephrin", "clearol", "uresan"]),
            [Panels.Reading, Panels.Assessment, Panels.Treatment]),
        new("dermatology", 110, 15, 80,
            new Vocabulary(
                ["derm", "cut", "squam", "follic", "pruri"], ["alba", "ella", "osca", "inda", "una"], ["rash", "patch", "scale"],
                ["forearm", "scalp", "back of the knee", "cheek", "palm"],
                ["itchy red rings", "dry white scales", "small clear blisters", "dark raised spots"],
                ["lamp test", "patch test", "scraping"], ["dermol", "cutane", "lotin"]),
            [PlainWords.Explanation, PlainWords.Treatment, PlainWords.Visit]),
        new("paediatrics", 70, 2, 14,
            new Vocabulary(
                ["pedi", "kinder", "infan", "juve", "pueri"], ["bumps", "wheeze", "croaks", "spots", "sniffs"], ["fever", "cold", "cough"],
                ["throat", "ears", "tummy", "nose", "cheeks"],
                ["barking at night", "not finishing meals", "rubbing both ears", "waking up hot"],
                ["spoon test", "whistle test", "sticker test"], ["junior", "syrupin", "dropsy"]),
            [ForParents.Advice, ForParents.Treatment, ForParents.Visit]),
        new("neurology", 190, 25, 88,
            new Vocabulary(
                ["neur", "cereb", "axon", "myel", "cort"], ["algia", "exis", "opraxa", "ystro", "undra"], ["palsy", "tremor", "spell"],
                ["frontal lobe", "brain stem", "spinal cord", "facial nerve", "basal nuclei"],
                ["trembling of one hand", "sudden loss of words", "double vision", "numb feet"],
                ["needle test", "tapping test", "line walk"], ["neurax", "synapol", "cortan"]),
            [Exam.Diagnosis, Exam.Treatment, Exam.Visit]),
        new("oncology", 130, 40, 90,
            new Vocabulary(
                ["onc", "neopl", "blast", "carc", "mela"], ["oma", "ymus", "etine", "arden", "ova"], ["growth", "nodule", "mass"],
                ["upper lobe", "colon", "pancreas", "marrow", "thyroid"],
                ["weight loss", "night sweats", "a painless lump", "long tiredness"],
                ["marker level", "core biopsy", "contrast scan"], ["oncarib", "blastine", "tumorix"]),
            [Codes.Staging, Codes.Treatment, Codes.Visit]),
        new("ophthalmology", 90, 20, 90,
            new Vocabulary(
                ["ocul", "retin", "corne", "macul", "uve"], ["opia", "itra", "axis", "ensa", "oma"], ["haze", "drift", "clouding"],
                ["retina", "cornea", "lens", "macula", "optic disc"],
                ["wavy lines", "gritty eyes", "halos around lamps", "blurred reading"],
                ["letter chart", "slit lamp", "pressure reading"], ["opticol", "visane", "lacrimo"]),
            [Telegrams.Note, Telegrams.Treatment, Telegrams.Visit]),
        new("orthopaedics", 60, 16, 85,
            new Vocabulary(
                ["oste", "arthr", "menis", "tend", "lumb"], ["igo", "acta", "urna", "ebra", "olus"], ["strain", "lock", "wear"],
                ["knee", "hip", "left shoulder", "lower back", "ankle"],
                ["clicking on each step", "stiffness in the morning", "pain when lifting", "giving way on stairs"],
                ["bend test", "grip test", "drawer test"], ["ostivan", "flexor", "jointal"]),
            [Steps.Plan, Steps.Treatment, Steps.Visit]),
    ];
}
